"""Every extension point, one file per subject. Interfaces and value types only, no behaviour."""
