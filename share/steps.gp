# steps.gp - influence of the strongest groups over the probed steps; see plot.gp.

if (chosen == 0) {
	print "plot.gp: no group has influence: nothing to draw"
	exit status 65
}
score = method eq "fisher" || method eq "magnitude" || method eq "random"
if (title eq "") title = score ? "The groups that score highest, step by step" \
    : "The most influential groups, step by step"
subtitle = sprintf("%d of %d groups", chosen, groups)
if (gaps) subtitle = subtitle."; where a line is missing the estimate was rejected"
longest = longest < 26 ? 26 : longest
legend = 6.8 * longest + 76
width = 90 + 520 + legend
height = 150 + (22 * (chosen + 1) > 330 ? 22 * (chosen + 1) : 330)
load share."/theme.gp"

set lmargin at screen side(90)
set rmargin at screen side(610)
set bmargin at screen level(64)
set tmargin at screen 1 - level(86)
set label "probed step of the training" at screen side(350), level(20) center \
    textcolor rgb ink
set label (score ? method." per parameter" : "influence per parameter (loss)") \
    at screen side(20), level(64 + (height - 150) / 2.0) center rotate textcolor rgb ink
room = last_step > first_step ? 0.03 * (last_step - first_step) : 1
set xrange [first_step - room:last_step + room]
set logscale y 10
set yrange [10 ** floor(log10(low) - 0.02):10 ** ceil(log10(high) + 0.02)]
set format y "10^{%T}"
set format x "%.0f"
if (last_step == first_step) set xtics (first_step)
if (last_step > first_step && last_step - first_step <= 12) set xtics 1
set xtics nomirror
set ytics nomirror
set border 3
set grid xtics ytics lc rgb faint lt 1 lw 0.7

array shape[8] = [7, 5, 9, 13, 11, 6, 4, 8]
of(i) = (i - 1) % 8 + 1
# Lines of the second eight groups are dashed, and have other shapes in the same colours.
shape_of(i) = shape[((i - 1) + 4 * ((i - 1) / 8)) % 8 + 1]
dashes(i) = (i - 1) / 8 % 2 ? 2 : 1
every_so(n) = n > 24 ? int(n / 12) : 1
do for [i = 1:chosen] {
	y = height - 96 - 22 * (i - 1)
	set arrow from screen side(632), level(y) to screen side(660), level(y) nohead \
	    lc rgb word(series, of(i)) lw 2 dashtype dashes(i)
	set label "" at screen side(646), level(y) point pt shape_of(i) ps 1.1 * mark \
	    lc rgb word(series, of(i))
	set label name[i] at screen side(670), level(y) noenhanced font ",12" \
	    textcolor rgb ink
}
if (groups > chosen) {
	y = height - 96 - 22 * chosen
	set arrow from screen side(632), level(y) to screen side(660), level(y) nohead \
	    lc rgb dim lw 2 dashtype 3
	set label "" at screen side(646), level(y) point pt 2 ps 0.7 * mark lc rgb dim
	set label sprintf("mean of the other %d", groups - chosen) \
	    at screen side(670), level(y) font ",12" textcolor rgb dim
}

plot $lines using 1:(column(chosen + 2)) with linespoints pt 2 ps 0.7 * mark lw 2 \
         pi every_so(steps) dashtype 3 lc rgb dim, \
     for [i = chosen:1:-1] $lines using 1:(column(i + 1)) with linespoints \
         pt shape_of(i) ps 1.1 * mark lw 1.5 pi every_so(steps) dashtype dashes(i) \
         lc rgb word(series, of(i))
