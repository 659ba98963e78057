"""Methods that control a risk: one file each."""
