# theme.gp - colours, terminal, heading; KIND.gp loads it when `width`, `height`, `title`
# and `subtitle` are known. On a light ground all is told apart in grey as well: palettes
# change in lightness, series in shape.

if (dark) {
	paper = "#16181d"
	ink = "#e8e8e8"
	dim = "#a9adb5"
	faint = "#3a3e47"
	middle = "#7d828c"
	empty = "#2b2e36"
	blue = "#6cb8f0"
	orange = "#ff9a52"
	series = "#6cb8f0 #ff9a52 #3fd6a0 #e8a3cf #f2c14e #b9a5ff #9aa0aa #ffffff"
	# In the dark what is much is bright.
	set palette defined (0 "#23264a", 1 "#2f4f86", 2 "#2f80a5", 3 "#4fb3a5", \
	                     4 "#a9d99a", 5 "#fdf6d8")
} else {
	paper = "#ffffff"
	ink = "#222222"
	dim = "#555555"
	faint = "#e0e0e0"
	middle = "#999999"
	empty = "#dddddd"
	blue = "#0072b2"
	orange = "#d55e00"
	series = "#0072b2 #d55e00 #009e73 #b0558a #c98a00 #5b4bb0 #777777 #111111"
	set palette defined (0 "#fdf6d8", 1 "#c9e2b3", 2 "#7cc2b0", 3 "#3f93b5", \
	                     4 "#2f5f9e", 5 "#2a2d6b")
}

set encoding utf8
if (svg) {
	set terminal svg size width, height font "sans-serif,14" background paper
	mark = 0.6
} else {
	# Fonts are in points here, and in pixels there: three quarters as many.
	set terminal pngcairo size 2 * width, 2 * height font "sans-serif,14" \
	    fontscale 1.5 linewidth 2 pointscale 2 background paper
	mark = 1
}
set output picture

set label title at screen 0.5, 1 - 30.0 / height center noenhanced font ",18" \
    textcolor rgb ink
set label subtitle at screen 0.5, 1 - 58.0 / height center font ",13" textcolor rgb dim
set border lc rgb dim
set tics textcolor rgb ink
set xlabel textcolor rgb ink
set ylabel textcolor rgb ink
unset key

# Sides of the plot, in pixels of the picture.
side(v) = v / (1.0 * width)
level(v) = v / (1.0 * height)
