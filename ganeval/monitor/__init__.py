"""Scores beside any training loop.

monitor = Monitor("real/", every=1000, folder="runs/mine")
for step in range(num_steps):
    ...
    monitor(step, lambda n: to_uint8(generator(torch.randn(n, 100))))
"""

from ganeval.monitor.logs import LOGS, Log
from ganeval.monitor.monitor import Monitor
from ganeval.monitor.record import Record

__all__ = ["LOGS", "Log", "Monitor", "Record"]
