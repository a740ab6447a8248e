"""The rows of the matrix: each cell that can show something which no other one shows."""
