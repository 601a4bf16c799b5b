"""auth/: register, log in and out, one's account and its tokens."""
