# agreement.gp - how methods agree with what training measured: Kendall's tau above, the
# overlap of the ten best below; see plot.gp.

if (tasks == 0) {
	print "plot.gp: no row has a number: nothing to draw"
	exit status 65
}
if (title eq "") title = "Which method finds the groups that help"
subtitle = "beside the decrease of the loss when each group was trained alone"
step = places <= 12 ? 44 : (places <= 30 ? 30 : 20)
plot_width = step * places < 490 ? 490 : step * places
width = 90 + plot_width + 40
names = 7 * longest + 20
height = 100 + 220 + 50 + 170 + names + 44
load share."/theme.gp"

set multiplot
set lmargin at screen side(90)
set rmargin at screen side(90 + plot_width)
# A few bars are no wider than many.
room = (plot_width / (1.0 * step) - places) / 2
set xrange [-0.5 - room:places - 0.5 + room]
set border 2
set tics scale 0.5
unset xtics
set ytics nomirror
set grid ytics lc rgb faint lt 1 lw 0.7
of(i) = (i - 1) % 8 + 1
colour(i) = int("0x".word(series, of(int(i)))[2:7])

least(a, b) = a < b ? a : b
most(a, b) = a > b ? a : b

foot = names + 44
set tmargin at screen level(height - 90)
set bmargin at screen level(height - 310)
set yrange [(lowest < 0 ? floor(5 * lowest) / 5.0 : 0):1]
set ytics 0.2 format "%.1f"
set label "Kendall's tau" at screen side(28), level(height - 200) center rotate \
    textcolor rgb ink
set arrow from graph 0, first 0 to graph 1, first 0 nohead lc rgb dim lw 1
plot $tau using 1:2:($1 - 0.37):($1 + 0.37):(least($2, 0)):(most($2, 0)):(colour($5)) \
         with boxxyerror fillstyle solid border lc rgb ink fillcolor rgb variable, \
     $tau using 1:3:(0):($4 - $3) with vectors nohead lw 2 lc rgb ink

unset label
unset arrow
set tmargin at screen level(foot + 170)
set bmargin at screen level(foot)
set yrange [0:top]
tic = top == 10 ? 2 : 0.2
set ytics tic format (top == 10 ? "%.0f" : "%.1f")
set label "ten best that are the same" at screen side(28), level(foot + 85) center rotate \
    textcolor rgb ink
set arrow from graph 0, first 0 to graph 1, first 0 nohead lc rgb dim lw 1
plot $top10 using 1:2:($1 - 0.37):($1 + 0.37):(least($2, 0)):(most($2, 0)):(colour($5)) \
         with boxxyerror fillstyle solid border lc rgb ink fillcolor rgb variable, \
     $top10 using 1:3:(0):($4 - $3) with vectors nohead lw 2 lc rgb ink

# The names, in a plot of their own below.
set tmargin at screen level(foot)
set bmargin at screen level(0)
set yrange [0:foot]
unset label
unset arrow
unset ytics
unset grid
set border 0
plot $methods using 1:(foot - 8):2 with labels right rotate by 90 noenhanced font ",12" \
         textcolor rgb ink, \
     $tasks using 1:(22):2 with labels center noenhanced textcolor rgb ink
unset multiplot
