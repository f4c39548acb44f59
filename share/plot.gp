# plot.gp - what adapeft-plot runs: the numbers that KIND.awk made, as KIND.gp draws them.
#
#     gnuplot -c plot.gp SHARE KIND NUMBERS PICTURE light|dark TITLE METHOD

share = ARG1
picture = ARG4
dark = ARG5 eq "dark"
title = ARG6
method = ARG7
svg = picture[strlen(picture) - 3:] eq ".svg"

# A picture that has something to say of its numbers says it below its heading.
subtitle = ""
kind_file = share."/".ARG2.".gp"
load ARG3
load kind_file
