"""The holder's side over HTTP: pages, and what they ask for."""
