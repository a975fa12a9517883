"""Training: the GAN base class, one loop for all models, data, checkpoints, and scores along the way."""
