# scatter.gp - scores of groups beside the measured decrease of the loss; see plot.gp.

if (groups == 0) {
	print "plot.gp: no group has a score and a decrease above 0: nothing to draw"
	exit status 65
}
if (title eq "") title = "What a score promised, and what training gave"
subtitle = sprintf("%d of the %d best are the same", shared, few)
if (abs(tau) < 0.005) tau = 0
if (tau == tau) subtitle = sprintf("Kendall's tau %.2f; ", tau).subtitle
width = 720
height = 640
load share."/theme.gp"

set lmargin at screen side(100)
set rmargin at screen side(690)
set bmargin at screen level(120)
set tmargin at screen level(550)
set logscale xy 10
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set format "10^{%T}"
set xtics nomirror
set ytics nomirror
set border 3
set grid xtics ytics lc rgb faint lt 1 lw 0.7
set label "score" at screen side(395), level(72) center textcolor rgb ink
set label "measured decrease of the loss, group trained alone" at screen side(26), \
    level(335) center rotate textcolor rgb ink

set label "" at screen side(90), level(42) point pt 6 ps 1.1 * mark lc rgb dim
set label "group" at screen side(104), level(42) font ",12" textcolor rgb ink
set label "" at screen side(180), level(42) point pt 5 ps 1.2 * mark lc rgb blue
set label "among the best by score" at screen side(194), level(42) font ",12" \
    textcolor rgb ink
set label "" at screen side(380), level(42) point pt 8 ps 1.4 * mark lc rgb orange lw 1.5
set label "by decrease" at screen side(394), level(42) font ",12" textcolor rgb ink
set label "" at screen side(500), level(42) point pt 7 ps 1.4 * mark lc rgb orange
set label "by both" at screen side(514), level(42) font ",12" textcolor rgb ink
if (edged) set label "on the edge: not above 0" at screen side(395), level(18) center \
    font ",11" textcolor rgb dim

of(v, k) = v == k ? 1 : NaN
plot $points using ($1 * of($3, 0)):2 with points pt 6 ps 1.0 * mark lc rgb dim, \
     $points using ($1 * of($3, 1)):2 with points pt 5 ps 1.2 * mark lc rgb blue, \
     $points using ($1 * of($3, 2)):2 with points pt 8 ps 1.4 * mark lw 1.5 \
         lc rgb orange, \
     $points using ($1 * of($3, 3)):2 with points pt 7 ps 1.4 * mark lc rgb orange
