# spread.gp - distributions of curvatures, or of what fits leave over, by type; see plot.gp.

if (estimates == 0) {
	print kind eq "fit" \
	    ? "plot.gp: no row has an R²: it comes from probing with --method fit" \
	    : "plot.gp: no row has a curvature: probe with --method fit, hvp or ggn"
	exit status 65
}
fit = kind eq "fit"
if (title eq "") title = fit ? "How well parabolas fit the loss" \
    : "Curvature of the loss along each group's direction"
subtitle = fit ? "bars: share of a type's estimates; orange: R² below 0.99" \
    : "bars: share of a type's estimates; orange: curved downwards"
width = 880
height = 150 + 62 * rows + 20
margin = 70
load share."/theme.gp"

set lmargin at screen side(90)
set rmargin at screen side(width - 170)
set bmargin at screen level(margin)
set tmargin at screen 1 - level(100)
set label fit ? "1 - R² of the fit (left: better)" \
    : "curvature ".(method eq "ggn" ? "g'(GGN)g" : "g'Hg")." (loss, for a step of 1)" \
    at screen side(90 + (width - 260) / 2.0), level(24) center textcolor rgb ink
set label fit ? "below 0.99" : "negative" at graph 1, screen 1 - level(88) offset 1, 0 \
    font ",12" textcolor rgb dim

set xrange [left - 0.3:right + 0.3]
set yrange [rows - 0.4:-1]
set border 1
set tics scale 0
set xtics nomirror
set ytics nomirror
set grid xtics lc rgb faint lt 1 lw 0.7
if (fit) {
	line = -2 - low + 0.5
	set arrow from first line, graph 0 to first line, graph 1 nohead front lc rgb ink \
	    dashtype 2 lw 1.5
	set label "R² = 0.99" at first line, graph 1 offset 0, 0.6 center font ",12" \
	    textcolor rgb ink
}
if (left < 0 && right > 0) {
	set arrow from first 0, graph 0 to first 0, graph 1 nohead back lc rgb dim lw 1
	set xtics add ("0" 0)
}
do for [i = 0:rows - 1] {
	set label said[i + 1] at graph 1, first i - 0.3 offset 1, 0 font ",12" \
	    textcolor rgb dim
	set arrow from graph 0, first i to graph 1, first i nohead back lc rgb faint lw 1
}

# In grey the marked bars are told by their outline.
plot $bars using ($5 > 0 ? NaN : $1):3:1:2:3:($3 - $4) with boxxyerror \
         fillstyle solid noborder fillcolor rgb blue, \
     $bars using ($5 > 0 ? $1 : NaN):3:1:2:3:($3 - $4) with boxxyerror \
         fillstyle solid 0.75 border lc rgb ink fillcolor rgb orange
