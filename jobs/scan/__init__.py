"""Ask a scanner whether a file is known malware (docs/scanning.md)."""
