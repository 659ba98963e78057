"""The families of methods. Families are strangers to each other: what two of them need lies below, in models or numerics."""
