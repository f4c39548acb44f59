# frontier.gp - score over trained parameters, from the output of adapeft-evaluate.
#
#     gnuplot -c frontier.gp FILE.point PICTURE.svg [TITLE]      (or PICTURE.png)

share = system("dirname '".ARG0."'")
load "< awk -f '".share."/cols.awk' -v cols=run,budget,trained,percent,metric,score '".ARG1. \
     "' | awk -f '".share."/frontier.awk'"
if (points == 0) {
	print "frontier.gp: ".ARG1.": no run has a score: nothing to draw"
	exit status 65
}
title = ARGC >= 3 ? ARG3 : "What a budget of trained parameters buys"

width = 840
height = 620
if (ARG2[strlen(ARG2)-3:] eq ".svg") {
	set terminal svg size width, height font "sans-serif,14" background "white"
	mark = 0.6
} else {
	set terminal pngcairo size 2 * width, 2 * height font "sans-serif,14" fontscale 2 \
	    linewidth 2 pointscale 2
	mark = 1
}
set output ARG2

# The plot is 700 by 400 pixels: frontier.awk places the labels in it.
set lmargin at screen 100.0 / width
set rmargin at screen 800.0 / width
set bmargin at screen 110.0 / height
set tmargin at screen 510.0 / height

set label title at screen 450.0 / width, 595.0 / height center noenhanced \
    font ",18"
set logscale x 10
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set format x "%.0s%c"
set xtics nomirror
set ytics nomirror
set mxtics 10
set border 3 lc rgb "#555555"
set grid xtics ytics lc rgb "#e4e4e4" lt 1 lw 0.7
set label "trained parameters" at screen 450.0 / width, 64.0 / height center
set label metric noenhanced at screen 26.0 / width, 310.0 / height center rotate
if (total > 0) {
	set logscale x2 10
	set x2range [100 * x_low / total:100 * x_high / total]
	set format x2 "%g%%"
	set x2tics nomirror
	set mx2tics 10
	set label "share of the model's parameters" at screen 450.0 / width, 556.0 / height \
	    center
	set border 7
}

# A label may lie over the frontier's line.
set style textbox opaque noborder margins 0.2, 0.2

# The legend, by hand: a key of gnuplot's would break the line.
unset key
set label "" at screen 150.0 / width, 26.0 / height \
    point pt 7 ps 1.3 * mark lc rgb "#0072b2"
set label "chosen by influence" at screen 164.0 / width, 26.0 / height
set label "" at screen 390.0 / width, 26.0 / height \
    point pt 13 ps 1.6 * mark lc rgb "#d55e00"
set label "fixed recipe" at screen 404.0 / width, 26.0 / height
set arrow from screen 570.0 / width, 26.0 / height to screen 594.0 / width, 26.0 / height \
    nohead lc rgb "#999999" lw 2
set label "Pareto frontier" at screen 602.0 / width, 26.0 / height

plot $frontier using 1:2 with steps lc rgb "#999999" lw 2, \
     $points using 1:2:(mark * ($3 > 0 ? 1.3 : 1.6)):($3 > 0 ? 7 : 13):($3 > 0 ? 0x0072b2 : 0xd55e00) \
         with points ps variable pt variable lc rgb variable, \
     $labels using (x_low * (x_high / x_low) ** $1):(y_low + $2 * (y_high - y_low)):3 \
         with labels center boxed noenhanced textcolor rgb "#222222"
