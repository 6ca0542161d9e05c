"""Commands without a screen: analyze, check and doctor."""
