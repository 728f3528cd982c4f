# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# report.awk - from samples to what people read
#
#   mode=summary ROWS SAMPLES   medians and ratios: one line for each row and set-up
#   mode=table | json | svg     SUMMARY: the table, one run as a line of JSON, a plot for each row
#
# A ratio is taken between figures of the same round, and the median is of these ratios: what
# changed on the machine between two rounds then cancels out. For mawk too, which has no sort.

BEGIN {
	FS = mode == "summary" ? " *[|] *" : "\t"
	OFS = "\t"
}

mode == "summary" && FNR == NR {
	sub(/ *$/, "")
	if (NF < 7)
		next
	order[++rows] = $1
	better[$1] = $3
	goal[$1] = $4
	base[$1] = $5
	unit[$1] = $6
	text[$1] = $7
	next
}

mode == "summary" {
	split($0, field, "\t")
	row = field[1]
	setup = field[2]
	if (!((row, setup) in count))
		setups[row] = setups[row] " " setup
	figure[row, setup, ++count[row, setup]] = field[4]
	by_round[row, setup, field[3]] = field[4]
	round_of[row, setup, count[row, setup]] = field[3]
	next
}

{
	id = $1
	if (!(id in lines)) {
		order[++rows] = id
		better[id] = $3
		goal[id] = $4
		base[id] = $5
		unit[id] = $6
		text[id] = $12
	}
	n = ++lines[id]
	name[id, n] = $2
	value[id, n] = $7
	ratio[id, n] = $8
	low[id, n] = $9
	high[id, n] = $10
	verdict[id, n] = $11
}

END {
	if (mode == "summary")
		summary()
	else if (mode == "table")
		table()
	else if (mode == "json")
		json()
	else
		for (i = 1; i <= rows; i++)
			plot(order[i], out "/" order[i] ".svg")
}

# --- summary ---

# list[1..n] in order; a dozen of figures, so the simplest will do.
function sort(list, n, i, j, v)
{
	for (i = 2; i <= n; i++) {
		v = list[i]
		for (j = i - 1; j > 0 && list[j] > v; j--)
			list[j + 1] = list[j]
		list[j + 1] = v
	}
}

function median(list, n)
{
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function judge(row, setup, figure)
{
	# Peers, and heddle without what the goal wants of it, are there for comparison.
	if (setup == base[row] || setup ~ /^(bare|bridge|ovs|nft[0-9]*|open)$/ || goal[row] == "-")
		return "-"
	if (better[row] == "ge")
		return figure >= goal[row] + 0 ? "met" : "missed"
	return figure <= goal[row] + 0 ? "met" : "missed"
}

function summary_line(row, setup, i, n, m, of, against, list, ratios, middle)
{
	n = count[row, setup]
	for (i = 1; i <= n; i++) {
		list[i] = figure[row, setup, i] + 0
		of = base[row]
		against = by_round[row, of, round_of[row, setup, i]]
		if (of != "-" && against > 0)
			ratios[++m] = list[i] / against
	}
	sort(list, n)
	sort(ratios, m)
	middle = m ? median(ratios, m) : median(list, n)
	print row, setup, better[row], goal[row], base[row], unit[row], median(list, n),
		m ? middle : "-", m ? ratios[1] : list[1], m ? ratios[m] : list[n],
		judge(row, setup, middle), text[row]
}

function summary(i, k, n, names)
{
	for (i = 1; i <= rows; i++) {
		n = split(setups[order[i]], names, " ")
		for (k = 1; k <= n; k++)
			summary_line(order[i], names[k])
	}
}

# --- table ---

function number(v)
{
	if (v >= 1000)
		return sprintf("%.0f", v)
	return v >= 100 ? sprintf("%.1f", v) : v >= 1 ? sprintf("%.2f", v) : sprintf("%.4f", v)
}

function goal_text(row)
{
	if (goal[row] == "-")
		return "-"
	return (better[row] == "ge" ? ">= " : "<= ") goal[row]
}

function range_text(row, n)
{
	if (ratio[row, n] == "-")
		return sprintf("       [%s - %s]", number(low[row, n]), number(high[row, n]))
	if (name[row, n] == base[row])
		return "1"
	return sprintf("%.3f  [%.3f - %.3f]", ratio[row, n], low[row, n], high[row, n])
}

function table(i, n, row, format)
{
	format = "  %-8s %12s %-8s %-26s %s\n"
	for (i = 1; i <= rows; i++) {
		row = order[i]
		printf "%s%-11s %s%s, goal %s\n", (i > 1) ? "\n" : "", row, text[row],
			base[row] == "-" ? "" : " / " base[row], goal_text(row)
		for (n = 1; n <= lines[row]; n++)
			printf format, name[row, n], number(value[row, n]), unit[row],
				range_text(row, n), verdict[row, n] == "-" ? "" : verdict[row, n]
	}
}

# --- json ---

function json_number(v)
{
	return v == "-" || v == "" ? "null" : sprintf("%.6g", v)
}

function json_setup(row, n)
{
	return sprintf("{\"name\":\"%s\",\"figure\":%s,\"ratio\":%s,\"min\":%s,\"max\":%s," \
		"\"verdict\":\"%s\"}", name[row, n], json_number(value[row, n]),
		json_number(ratio[row, n]), json_number(low[row, n]), json_number(high[row, n]),
		verdict[row, n])
}

function json(i, n, row)
{
	printf "{\"date\":\"%s\",\"kernel\":\"%s\",\"commit\":\"%s\",\"cpus\":\"%s\",", date, kernel,
		commit, cpus
	printf "\"rounds\":%d,\"seconds\":%s,\"rows\":[", rounds, json_number(seconds)
	for (i = 1; i <= rows; i++) {
		row = order[i]
		printf "%s{\"row\":\"%s\",\"text\":\"%s\",\"unit\":\"%s\",\"better\":\"%s\",", (i > 1 ? "," : ""),
			row, text[row], unit[row], better[row]
		printf "\"goal\":%s,\"base\":\"%s\",\"setups\":[", json_number(goal[row]), base[row]
		for (n = 1; n <= lines[row]; n++)
			printf "%s%s", (n > 1 ? "," : ""), json_setup(row, n)
		printf "]}"
	}
	print "]}"
}

# --- svg: a bar for each set-up, a whisker from least to most, a dashed line for the goal ---

function bar(row, n, y, scale, file, v, colour)
{
	v = ratio[row, n] == "-" ? value[row, n] : ratio[row, n]
	colour = verdict[row, n] == "missed" ? "#c0504d" : verdict[row, n] == "met" ? "#4f8f4f" : "#7f8fa9"
	printf "<text x=\"100\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 15, name[row, n] >file
	printf "<rect x=\"110\" y=\"%d\" width=\"%.1f\" height=\"20\" fill=\"%s\"/>\n", y, v * scale,
		colour >file
	printf "<path d=\"M%.1f %dH%.1f\" stroke=\"#000\"/>\n", 110 + low[row, n] * scale, y + 10,
		110 + high[row, n] * scale >file
	printf "<text x=\"570\" y=\"%d\">%s%s %s</text>\n", y + 15,
		ratio[row, n] == "-" ? "" : sprintf("%.3f   ", ratio[row, n]), number(value[row, n]),
		unit[row] >file
}

function plot(row, file, n, most, scale, height, x)
{
	most = goal[row] == "-" ? 0 : goal[row]
	for (n = 1; n <= lines[row]; n++) {
		if (ratio[row, n] == "-" && value[row, n] > most)
			most = value[row, n] + 0
		if (high[row, n] + 0 > most && (name[row, n] != base[row]))
			most = high[row, n] + 0
	}
	if (most < 1 && base[row] != "-")
		most = 1
	scale = 440 / most
	height = 60 + 30 * lines[row]
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"%d\" ", height >file
	print "font-family=\"sans-serif\" font-size=\"13\">" >file
	printf "<rect width=\"720\" height=\"%d\" fill=\"#fff\"/>\n", height >file
	printf "<text x=\"10\" y=\"22\" font-weight=\"bold\">%s: %s%s, goal %s</text>\n", row,
		text[row], base[row] == "-" ? "" : " / " base[row], svg_goal(row) >file
	for (n = 1; n <= lines[row]; n++)
		bar(row, n, 10 + 30 * n, scale, file)
	x = 110 + goal[row] * scale
	if (goal[row] != "-")
		printf "<path d=\"M%.1f 34V%d\" stroke=\"#000\" stroke-dasharray=\"4 3\"/>\n", x,
			height - 15 >file
	print "</svg>" >file
	close(file)
}

function svg_goal(row, t)
{
	t = goal_text(row)
	sub(/>/, "\\&gt;", t)
	sub(/</, "\\&lt;", t)
	return t
}
