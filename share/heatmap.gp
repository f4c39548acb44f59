# heatmap.gp - influence per parameter by layer and type; see plot.gp.
# A group that lies across layers or types is in a column or row of its own, "mixed":
# --group-by layer-type, or finer, has none of these.

if (cells == 0) {
	print "plot.gp: no group has influence: nothing to draw"
	exit status 65
}
if (title eq "") title = "Which parts of the model are worth training"
score = method eq "fisher" || method eq "magnitude" || method eq "random"
subtitle = score ? method." per parameter, as a power of ten" \
    : "influence per parameter, as a power of ten"

# A deep model has narrow cells without numbers.
wide = columns <= 14
cell = wide ? 74 : (columns <= 50 ? 28 : 14)
left = 90
plot_width = cell * columns > 300 ? cell * columns : 300
width = left + plot_width + 106
width = width < 460 ? 460 : width
height = 190 + 52 * rows + (wide ? 0 : 26)
foot = wide ? 66 : 92
load share."/theme.gp"

floor_of(x) = floor(2 * x) / 2.0
ceil_of(x) = ceil(2 * x) / 2.0
bottom = floor_of(lowest)
top = ceil_of(highest)
top = top > bottom ? top : bottom + 1
set cbrange [bottom:top]
between = top - bottom > 12 ? 4 : (top - bottom > 6 ? 2 : (top - bottom > 3 ? 1 : 0.5))
set cbtics between format "%.1f" nomirror textcolor rgb ink
set colorbox user origin screen side(left + plot_width + 16), level(foot) \
    size screen side(18), 1 - level(foot + 90) noborder

set xrange [-0.5:columns - 0.5]
set yrange [rows - 0.5:-0.5]
set tics scale 0
set xtics nomirror
set ytics nomirror
unset border
set lmargin at screen side(left)
set rmargin at screen side(left + plot_width)
set bmargin at screen level(foot)
set tmargin at screen 1 - level(90)
if (!wide) set label "layer" at screen side(left + plot_width / 2.0), level(52) center \
    textcolor rgb ink

gap = wide ? 0.02 : 0.05
do for [y = 0:rows - 1] {
	do for [x = 0:columns - 1] {
		set object rectangle from x - 0.5 + gap, y - 0.47 \
		    to x + 0.5 - gap, y + 0.47 behind fillcolor rgb empty fillstyle solid noborder
	}
}
set label "grey: no group is of that layer and type, or none has influence" \
    at screen side(left), level(18) left font ",11" textcolor rgb dim

strong(v) = (v - bottom) / (top - bottom) > (dark ? 0.5 : 0.57)
on_strong = dark ? "#111111" : "#ffffff"
on_weak = dark ? "#f4f4f4" : "#111111"
written(v) = wide ? v : ""
plot $cells using 1:2:($1 - 0.5 + gap):($1 + 0.5 - gap):($2 - 0.47):($2 + 0.47):3 \
         with boxxyerror fillstyle solid noborder fillcolor palette, \
     $cells using 1:2:(strong($3) ? written(stringcolumn(4)) : "") with labels \
         textcolor rgb on_strong, \
     $cells using 1:2:(strong($3) ? "" : written(stringcolumn(4))) with labels \
         textcolor rgb on_weak
