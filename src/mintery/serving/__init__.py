"""What every server of ours does, the chain's and the gateway's alike: listen, run beside the rest of the process, end when told."""
