# heatmap.awk - influence by layer and type, as numbers for heatmap.gp.
# Reads type, layer, params and appi (tab-separated). Groups of the same layer and type are
# one cell: their influence together over their parameters together. What lies across is of
# the layer or of the type "mixed".

BEGIN {
	FS = "\t"
	types = split("attn mlp lora_A lora_B norm bias embed head mixed", order, " ")
}

{
	sum[$2, $1] += $3 * $4
	params[$2, $1] += $3
	has_type[$1] = has_layer[$2] = 1
	if ($2 ~ /^[0-9][0-9]?[0-9]?$/ && $2 + 0 > last)
		last = $2 + 0
}

END {
	for (i = 1; i <= types; i++)
		if (order[i] in has_type)
			row[rows++] = order[i]
	add_column("embed")
	for (i = 0; i <= last; i++)
		add_column(i "")
	add_column("head")
	add_column("mixed")

	print "$cells << END"
	for (x = 0; x < columns; x++)
		for (y = 0; y < rows; y++)
			if (params[column[x], row[y]] > 0)
				print_cell(x, y, sum[column[x], row[y]] / params[column[x], row[y]])
	print "END"
	print "columns = " columns + 0 "\nrows = " rows + 0 "\ncells = " cells + 0
	print "lowest = " low + 0 "\nhighest = " high + 0
	for (x = 0; x < columns; x++)
		print "set xtics " (x ? "add " : "") "(\"" name_of(column[x]) "\" " x ")"
	for (y = 0; y < rows; y++)
		print "set ytics " (y ? "add " : "") "('" row[y] "' " y ")"
}

function add_column(layer)
{
	if (layer in has_layer)
		column[columns++] = layer
}

function name_of(layer)
{
	if (columns <= 14)
		return layer ~ /^[0-9]+$/ ? "layer " layer : layer
	# Wider than a narrow cell: below the line of the numbers.
	if (layer !~ /^[0-9]+$/)
		return "\\n" layer
	return columns <= 50 || layer % 5 == 0 ? layer : ""
}

# A cell without influence has no logarithm: gnuplot leaves NaN out.
function print_cell(x, y, appi,    value)
{
	if (appi <= 0) {
		print x, y, "NaN", "0"
		return
	}
	value = log(appi) / log(10)
	if (!cells++)
		low = high = value
	low = value < low ? value : low
	high = value > high ? value : high
	print x, y, fixed(value, 4), fixed(value, 1)
}
