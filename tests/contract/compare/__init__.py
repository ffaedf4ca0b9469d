"""What breaks those who use the API, from one version of its document to the next."""
