"""The chain side: the only importer of web3, solcx and eth_tester."""
