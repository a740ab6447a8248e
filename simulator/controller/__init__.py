"""When to delete, and through what: triggers, a hand with three carriers, a controller that keeps to AWS's quota."""
