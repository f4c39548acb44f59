# frontier.gp - score over trained parameters; see plot.gp.

if (points == 0) {
	print "plot.gp: no run has a score: nothing to draw"
	exit status 65
}
if (title eq "") title = "What a budget of trained parameters buys"
width = 840
height = 620
load share."/theme.gp"

# The plot is 700 by 400 pixels: frontier.awk places the labels in it.
set lmargin at screen side(100)
set rmargin at screen side(800)
set bmargin at screen level(110)
set tmargin at screen level(510)

set logscale x 10
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set format x "%.0s%c"
set xtics nomirror
set ytics nomirror
set mxtics 10
set border 3
set grid xtics ytics lc rgb faint lt 1 lw 0.7
set label "trained parameters" at screen side(450), level(64) center textcolor rgb ink
set label metric noenhanced at screen side(26), level(310) center rotate textcolor rgb ink
if (total > 0) {
	set logscale x2 10
	set x2range [100 * x_low / total:100 * x_high / total]
	set format x2 "%g%%"
	set x2tics nomirror
	set mx2tics 10
	set label "share of the model's parameters" at screen side(450), level(556) \
	    center textcolor rgb ink
	set border 7
}

# A label may lie over the frontier's line.
set style textbox opaque noborder margins 0.2, 0.2 fillcolor rgb paper

# The legend, by hand: a key of gnuplot's would break the line.
set label "" at screen side(150), level(26) point pt 7 ps 1.3 * mark lc rgb blue
set label "chosen by influence" at screen side(164), level(26) textcolor rgb ink
set label "" at screen side(390), level(26) point pt 13 ps 1.6 * mark lc rgb orange
set label "fixed recipe" at screen side(404), level(26) textcolor rgb ink
set arrow from screen side(570), level(26) to screen side(594), level(26) nohead \
    lc rgb middle lw 2
set label "Pareto frontier" at screen side(602), level(26) textcolor rgb ink

do for [i = 1:|$spread|] {
	x = real(word($spread[i], 1))
	set arrow from x, real(word($spread[i], 2)) to x, real(word($spread[i], 3)) nohead \
	    front lw 1.5 lc rgb (word($spread[i], 4) eq "1" ? blue : orange)
}
colour(chosen) = int("0x".(chosen > 0 ? blue[2:7] : orange[2:7]))
plot $frontier using 1:2 with steps lc rgb middle lw 2, \
     $points using 1:2:(mark * ($3 > 0 ? 1.3 : 1.6)):($3 > 0 ? 7 : 13):(colour($3)) \
         with points ps variable pt variable lc rgb variable, \
     $labels using (x_low * (x_high / x_low) ** $1):(y_low + $2 * (y_high - y_low)):3 \
         with labels center boxed noenhanced textcolor rgb ink
