# interactions.gp - cosines between groups as a matrix; see plot.gp. Columns have the rows'
# numbers: names stand once.

if (chosen == 0) {
	print "plot.gp: no group has a row with itself: nothing to draw"
	exit status 65
}
if (title eq "") title = "Which groups do the same work"
subtitle = "cosine under the curvature: 1 the same, 0 apart, -1 against each other"
if (groups > chosen) subtitle = subtitle.sprintf("; %d of %d groups", chosen, groups)

# Numbers in the cells of a small matrix.
numbered = chosen <= 16
cell = chosen <= 8 ? 52 : (numbered ? 42 : (chosen <= 40 ? 20 : 12))
type = chosen <= 40 ? ",12" : ",9"
left = int((chosen <= 40 ? 6.8 : 5.2) * (longest + 5)) + 24
side_length = cell * chosen
width = left + side_length + 100
short = width < 640 ? 640 - width : 0
left = left + short / 2
width = width + short
foot = 50
height = foot + (side_length < 160 ? 160 : side_length) + 86
load share."/theme.gp"

# Far from 0 stands out, either way; in grey a number or a stroke tells what is negative.
if (dark) {
	set palette defined (-1 "#6cb8f0", -0.5 "#2f5f86", 0 "#23262d", 0.5 "#96591f", \
	                     0.85 "#ee8f3c", 1 "#ffe0b5")
} else {
	set palette defined (-1 "#08306b", -0.5 "#5b93c7", 0 "#ffffff", 0.5 "#fdb87a", \
	                     0.85 "#d65f00", 1 "#8a3800")
}
set cbrange [-1:1]
set cbtics -1, 0.5, 1 nomirror textcolor rgb ink format "%.1f"
set colorbox user origin screen side(left + side_length + 16), \
    level(height - 86 - side_length) size screen side(16), level(side_length) noborder

set xrange [0.5:chosen + 0.5]
set yrange [chosen + 0.5:0.5]
set tics scale 0
unset border
set xtics ()
unset ytics
every_so = chosen <= 40 ? 1 : 5
do for [i = 1:chosen] {
	if (i == 1 || i % every_so == 0) {
		set xtics add (sprintf("%d", i) i) nomirror
	}
	set label name[i].sprintf("  %d", i) at first 0.5, first i right offset -0.6, 0 \
	    noenhanced font type textcolor rgb ink
}
set xtics font type
set lmargin at screen side(left)
set rmargin at screen side(left + side_length)
set tmargin at screen 1 - level(86)
set bmargin at screen level(height - 86 - side_length)
set object rectangle from graph 0, graph 0 to graph 1, graph 1 behind \
    fillcolor rgb empty fillstyle solid noborder
set label "columns are numbered as rows".(numbered ? "" : "; a stroke: below -0.05") \
    at screen 0.5, level(14) center font ",11" textcolor rgb dim

gap = chosen > 40 ? 0 : 0.02
strong(v) = dark ? (v > 0.6 || v < -0.6) : (v > 0.75 || v < -0.45)
text(v, yes) = numbered && strong(v) == yes
on_strong = dark ? "#111111" : "#ffffff"
half = 0.5 - gap
plot $cells using 1:2:($1 - half):($1 + half):($2 - half):($2 + half):3 \
         with boxxyerror fillstyle solid noborder fillcolor palette, \
     $cells using (!numbered && $3 < -0.05 ? $1 - 0.25 : NaN):2:(0.5):(0) \
         with vectors nohead lw 1 lc rgb ink, \
     $cells using 1:2:(text($3, 1) ? stringcolumn(4) : "") with labels font ",12" \
         textcolor rgb on_strong, \
     $cells using 1:2:(text($3, 0) ? stringcolumn(4) : "") with labels font ",12" \
         textcolor rgb ink
