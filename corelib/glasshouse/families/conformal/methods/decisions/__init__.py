"""Published ways to decide: answer or stay silent, stop or ask a dearer model, one a file."""
