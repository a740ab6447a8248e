"""Certifies every device of ours, many times, and counts.

sessions   one call of `ghostjob certify` with one device, and what it came to
__main__   `python -m tests.certify_sessions correct | same | models | seen`
"""
