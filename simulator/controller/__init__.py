"""When to delete, and through what: triggers, two hands, and a controller that keeps to AWS's quota."""
