# The statements of docs/governance.md up to the mark of a day passing
# (part=0) or from there on (part=1), with those for the sample, or with
# kind=live those for a live index.  Runs are taken as of the time now=...;
# path=... is what the page's search_path is to be.
/^<!-- a day passes -->/ { past = 1 }
/^```$/ { on = 0 }
on && past + 0 == part {
	gsub(/huf_take\('[a-z]*'/, "&, as_of => " (now ? now : "now()"))
	if (path)
		sub(/search_path = .*;/, "search_path = " path ";")
	print
}
/^```sql$/ { on = 1 }
/^```sql sample$/ { on = kind != "live" }
/^```sql live$/ { on = kind == "live" }
