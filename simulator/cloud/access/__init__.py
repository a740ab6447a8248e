"""Who gets in, and what he may do: client certificates and signatures, IoT policies, and why somebody may not.

What a policy allows is decided by `policies`, whose variables have the values that `policy_variables` finds in a
certificate. `certificate_holders` knows which certificates are registered, `principals` answers the gateway's
questions about one that is connected, `denials` says why the answer was no, and `signatures` checks
Signature Version 4.
"""
