"""The doctor: what is wrong with two sets of images, before anyone trusts a number about them."""
