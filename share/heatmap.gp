# heatmap.gp - influence per parameter by layer and type, from the output of adapeft-rank.
#
#     gnuplot -c heatmap.gp FILE.appi PICTURE.svg [TITLE]      (or PICTURE.png)
#
# Groups are cells when they lie within a layer and a type: probe with
# --group-by layer-type, or finer.

share = system("dirname '".ARG0."'")
title = ARGC >= 3 ? ARG3 : "Which parts of the model are worth training"
load "< awk -f '".share."/cols.awk' -v cols=type,layer,params,appi '".ARG1. \
     "' | awk -f '".share."/heatmap.awk'"
if (cells == 0) {
	print "heatmap.gp: ".ARG1.": no group has influence: nothing to draw"
	exit status 65
}

width = 196 + 74 * columns
height = 190 + 52 * rows
if (ARG2[strlen(ARG2)-3:] eq ".svg") {
	set terminal svg size width, height font "sans-serif,14" background "white"
} else {
	set terminal pngcairo size 2 * width, 2 * height font "sans-serif,14" fontscale 2 \
	    linewidth 2 pointscale 2
}
set output ARG2

# From pale to dark in even steps of lightness, so that it is read in grey as well.
set palette defined (0 "#fdf6d8", 1 "#c9e2b3", 2 "#7cc2b0", 3 "#3f93b5", 4 "#2f5f9e", \
                     5 "#2a2d6b")
floor_of(x) = floor(2 * x) / 2.0
ceil_of(x) = ceil(2 * x) / 2.0
bottom = floor_of(lowest)
top = ceil_of(highest)
top = top > bottom ? top : bottom + 1
set cbrange [bottom:top]
between = top - bottom > 3 ? 1 : 0.5
set cbtics between format "%.1f" nomirror
set colorbox user origin screen 1 - 84.0 / width, screen 66.0 / height \
    size screen 18.0 / width, screen 1 - 156.0 / height noborder

set label title at screen 0.5, 1 - 30.0 / height center noenhanced font ",18"
set label "influence per parameter, as a power of ten" at screen 0.5, 1 - 58.0 / height center
set xrange [-0.5:columns - 0.5]
set yrange [rows - 0.5:-0.5]
set tics scale 0
set xtics nomirror
set ytics nomirror
unset border
unset key
set lmargin at screen 90.0 / width
set rmargin at screen 1 - 100.0 / width
set bmargin at screen 66.0 / height
set tmargin at screen 1 - 90.0 / height

do for [y = 0:rows - 1] {
	do for [x = 0:columns - 1] {
		set object rectangle from x - 0.48, y - 0.47 to x + 0.48, y + 0.47 behind \
		    fillcolor rgb "#dddddd" fillstyle solid noborder
	}
}
set label "grey: the model has nothing there" at screen 90.0 / width, 18.0 / height \
    left font ",11" textcolor rgb "#555555"

dark(v) = (v - bottom) / (top - bottom) > 0.6
plot $cells using 1:2:($1 - 0.48):($1 + 0.48):($2 - 0.47):($2 + 0.47):3 \
         with boxxyerror fillstyle solid noborder fillcolor palette, \
     $cells using 1:2:(dark($3) ? stringcolumn(4) : "") with labels textcolor rgb "white", \
     $cells using 1:2:(dark($3) ? "" : stringcolumn(4)) with labels textcolor rgb "#111111"
