# The ratio portls / by hand of each case, a bar per backend, lines from the least to the most of the
# pairs. bench.py gives data, output and backends.
set terminal svg size 1000,480 font "sans,12" background rgb "white"
set output output
set style data histograms
set style histogram errorbars gap 1 linewidth 1
set style fill solid 0.8 noborder
set errorbars lt -1
set datafile missing "?"
set title "portls / by hand: CPU of both sides (idle: memory, calls: system calls); lines: least and most of the pairs"
set ylabel "ratio"
set yrange [0:*]
set grid ytics
set xtics rotate by -35 nomirror
set key below horizontal
set arrow from graph 0, first 1 to graph 1, first 1 nohead dashtype 2 front
plot for [i = 1:words(backends)] data using (column(3*i - 1)):(column(3*i)):(column(3*i + 1)):xtic(1) title word(backends, i)
