"""Lengths of sentences: word pieces in SST-2's development set, 32 quantiles."""
LENGTHS = [8, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 20, 21, 22, 23, 24,
           25, 26, 27, 27, 28, 29, 30, 32, 33, 34, 36, 37, 39, 41, 44, 49]
