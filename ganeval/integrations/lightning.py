"""A Lightning callback: scores on the way, so that `ModelCheckpoint(monitor="fid")` keeps the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from ganeval.errors import InputError
from ganeval.monitor import Monitor, Record

try:
    from lightning.pytorch import Callback
except ModuleNotFoundError:
    try:
        from pytorch_lightning import Callback
    except ModuleNotFoundError:
        raise InputError("ganeval.integrations.lightning needs lightning; install it with: pip install 'ganeval[integrations]'") from None


class MonitorCallback(Callback):  # type: ignore[misc]
    """Scores at the end of every so many batches or epochs; for the Trainer of `lightning` and of `pytorch_lightning` alike.

        Trainer(callbacks=[MonitorCallback("real/", draw, every=1000), ModelCheckpoint(monitor="fid", every_n_train_steps=1000)])

    The scores go through `pl_module.log`, under their keys, and to the trainer's loggers. `every` counts batches: `trainer.global_step`
    counts a batch of a GAN twice, once for each optimizer. What is remembered is in Lightning's checkpoints.

    Args:
        real, options: as for `Monitor`; the device is the trainer's.
        draw: function of the LightningModule and n that draws n images, uint8.
        every: batches between two scores.
        every_epochs: epochs between two scores, in place of `every`.

    Raises:
        InputError: as `Monitor`, when training begins; or both of `every` and `every_epochs`.
    """

    def __init__(
        self,
        real: Any,
        draw: Callable[[Any, int], Tensor],
        *,
        every: int | None = None,
        every_epochs: int | None = None,
        **options: Any,
    ) -> None:
        if (every is None) == (every_epochs is None):
            raise InputError(f"give one of every= (batches) and every_epochs=, got {every} and {every_epochs}")
        if every_epochs is not None and every_epochs < 1:
            raise InputError(f"every_epochs must be at least 1, got {every_epochs}")
        self.monitor: Monitor | None = None
        self._real, self._draw, self._options = real, draw, options
        self._every, self._every_epochs = every, every_epochs
        self._state: Mapping[str, Any] | None = None

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage == "fit" and self.monitor is None:
            options = {"device": trainer.strategy.root_device, **self._options}
            self.monitor = Monitor(self._real, every=self._every or 1, **options)
            if self._state is not None:
                self.monitor.load_state_dict(self._state)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self._every is not None:
            self._score(trainer, pl_module, on_step=True)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        if self._every_epochs is not None and (trainer.current_epoch + 1) % self._every_epochs == 0:
            self._score(trainer, pl_module, on_step=False)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.monitor is None else self.monitor.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._state = state_dict or None
        if self.monitor is not None and self._state is not None:
            self.monitor.load_state_dict(self._state)

    def _score(self, trainer: Any, pl_module: Any, *, on_step: bool) -> None:
        assert self.monitor is not None
        step = trainer.fit_loop.epoch_loop.total_batch_idx + 1
        known = len(self.monitor.history)
        record = self.monitor(step, lambda n: self._draw(pl_module, n))
        if record is not None and len(self.monitor.history) > known:
            self._tell(trainer, pl_module, record, on_step=on_step)

    def _tell(self, trainer: Any, pl_module: Any, record: Record, *, on_step: bool) -> None:
        # Not to the loggers by this way: they would get it only where the step happens to be one of log_every_n_steps.
        pl_module.log_dict(dict(record.values), on_step=on_step, on_epoch=not on_step, logger=False, batch_size=1)
        for logger in trainer.loggers:
            logger.log_metrics(dict(record.values), step=trainer.global_step)
