"""What brings money in from outside the chain and takes it back: each rail is asked, and believed only when asked."""
