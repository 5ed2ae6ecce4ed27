"""``python -m tests.faults SEED …`` repeats runs; ``--seeds 0:10000 --results DIR [--resume] [--workers N]`` goes deep."""

from tests.faults.deep import main

main()
