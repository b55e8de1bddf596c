# R: DBI by RPostgreSQL, and what dbplyr makes of verbs.
suppressPackageStartupMessages({
	library(DBI)
	library(RPostgreSQL)
	library(dplyr, warn.conflicts = FALSE)
	library(dbplyr, warn.conflicts = FALSE)
})
options(warn = -1)	# of types that RPostgreSQL does not know, whose values it gives as text

env <- function(name) Sys.getenv(name)
connect <- function(port) dbConnect(PostgreSQL(), host = "127.0.0.1", port = as.integer(port), user = env("PGUSER"), dbname = env("PGDATABASE"))
aside <- connect(env("DIRECT_PORT"))
connection <- connect(env("PGPORT"))
rows <- function(text) dbGetQuery(connection, text)
number <- 0
failed <- 0

check <- function(name, test) {
	number <<- number + 1
	error <- tryCatch({ force(test); NULL }, error = function(e) conditionMessage(e))
	cat(if (is.null(error)) "ok" else "not ok", number, "-", name, "\n")
	if (!is.null(error)) {
		failed <<- failed + 1
		cat(gsub("(?m)^", "# ", error, perl = TRUE), "\n")
	}
}
equal <- function(there, here) {
	same <- all.equal(as.data.frame(there), as.data.frame(here), check.attributes = FALSE, tolerance = 0)
	if (!isTRUE(same)) stop(paste(c(same, capture.output(print(head(there)), print(head(here)))), collapse = "\n"))
	if (nrow(as.data.frame(here)) == 0) stop("there is nothing")
}
question <- function(name, ask) {
	dbGetQuery(aside, paste0("SELECT question('", name, "')"))
	on.exit(dbGetQuery(aside, "SELECT question(NULL)"))
	force(ask)
}
# The same question to the foreign table and to its local copy, and the same answer.
same <- function(name, ask) check(name, {
	there <- question(name, ask("items"))
	equal(there, ask("items_local"))
})
# The same write to both; afterwards they are the same.
write <- function(name, text) check(name, {
	there <- question(name, dbExecute(connection, gsub("NOTES", "notes", text)))
	stopifnot(there == dbExecute(connection, gsub("NOTES", "notes_local", text)))
	equal(dbGetQuery(aside, "SELECT id, embedding, title, year, metadata FROM notes ORDER BY id"), dbGetQuery(aside, "SELECT id, embedding, title, year,
		coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('title', title, 'year', year)) AS metadata FROM notes_local ORDER BY id"))
})
refused <- function(name, ask, pattern) check(name, {
	error <- tryCatch({ force(ask); "it was not refused" }, error = conditionMessage, warning = conditionMessage)
	if (!grepl(pattern, error)) stop(error)
})

cat("# version: ", as.character(packageVersion("dbplyr")), "\n", sep = "")
cat("# lists: ", if ("items" %in% dbListTables(connection)) "yes" else "no", "\n", sep = "")
vector <- "{0.9,-0.2,0.4,0.1,-0.7,0.3,0.5,-0.6}"
nearest <- sql(paste0("embedding <=> '", vector, "'"))
of <- function(t) tbl(connection, t)

check("types", {
	there <- rows("SELECT * FROM items WHERE id = 'item-00007'")
	stopifnot(is.integer(there$year), is.double(there$price), is.character(there$embedding))
	equal(there, rows("SELECT *, NULL::float8 AS score FROM items_local WHERE id = 'item-00007'"))
})
check("tbl() asks nothing but its columns", {
	question("tbl", stopifnot(identical(colnames(of("items"))[1:3], c("id", "embedding", "title"))))
	stopifnot(all(dbGetQuery(aside, "SELECT requests FROM asked WHERE client = 'r' AND question = 'tbl'")$requests == 0))
})
same("filter", function(t) of(t) %>% filter(category == "books", year >= 2015L) %>% select(id, title, price) %>% arrange(id) %>% collect())
same("filter by %in%, is.na() and a string", function(t) of(t) %>%
	filter(year %in% c(1999L, 2001L), !is.na(price), title %like% "Title 1%") %>% select(id, price) %>% arrange(id) %>% collect())
same("knn", function(t) of(t) %>% arrange(nearest) %>% select(id, title) %>% head(10) %>% collect())
same("knn by DBI", function(t) rows(sqlInterpolate(connection, paste("SELECT id, title FROM", t, "ORDER BY embedding <=> ?v LIMIT 10"), v = vector)))
same("join", function(t) inner_join(of("orders"), of(t), by = c(item_id = "id")) %>% filter(customer == "customer 1") %>%
	select(number, title) %>% arrange(number) %>% collect())
same("pages", function(t) {
	last <- ""
	pages <- NULL
	for (i in 1:3) {
		page <- of(t) %>% filter(id > last) %>% arrange(id) %>% select(id, year) %>% head(100) %>% collect()
		pages <- rbind(pages, page)
		last <- tail(page$id, 1)
	}
	pages
})
check("a result that is fetched in part", {
	# RPostgreSQL has no cursor: the library reads all rows, whatever is fetched
	question("fetch", {
		result <- dbSendQuery(connection, "SELECT id FROM items ORDER BY id")
		read <- fetch(result, n = 200)
		dbClearResult(result)
	})
	equal(read, rows("SELECT id FROM items_local ORDER BY id LIMIT 200"))
})
same("count(*)", function(t) of(t) %>% count() %>% collect())
same("count(1)", function(t) of(t) %>% filter(category == "maps") %>% tally() %>% collect())
same("distinct", function(t) of(t) %>% distinct(category) %>% collect() %>% arrange(category))
same("group_by", function(t) of(t) %>% group_by(category) %>% summarise(n = n(), mean = mean(price, na.rm = TRUE)) %>% arrange(category) %>% collect())
check("limit", {
	read <- question("limit", of("items") %>% select(id, embedding, title, category, year, price, tags, metadata) %>% head(1000) %>% collect())
	stopifnot(nrow(read) == 1000)
	ids <- paste0("'{", paste(read$id, collapse = ","), "}'::text[]")
	equal(read, rows(paste0("SELECT * FROM items_local WHERE id = ANY (", ids, ") ORDER BY array_position(", ids, ", id)")))
})
note <- function(i) sprintf("('note-%03d', '{%s}', 'Note %d', %d)", i, paste((i + 0:7) / 16 + 0.125, collapse = ","), i, 2000L + i %% 20L)
write("insert", paste("INSERT INTO NOTES (id, embedding, title, year) VALUES", paste(sapply(0:49, note), collapse = ", ")))
write("update", "UPDATE NOTES SET title = 'changed' WHERE year = 2003")
write("delete", "DELETE FROM NOTES WHERE id IN ('note-001', 'note-002', 'note-030')")
check("dbWriteTable(append = TRUE) finds no table, and tries to create one", {
	made <- tryCatch(dbWriteTable(connection, "notes", data.frame(id = "n", title = "x"), append = TRUE, row.names = FALSE), error = function(e) FALSE)
	stopifnot(!isTRUE(made), dbGetQuery(aside, "SELECT count(*) FROM notes WHERE id = 'n'")[[1]] == 0)
})
refused("INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice",
	dbExecute(connection, "INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"), "ON CONFLICT")
check("cancel", {
	dbGetQuery(aside, "SELECT slow(30000)")
	on.exit(dbGetQuery(aside, "SELECT slow(0)"))
	# R has one thread: another program cancels
	system(paste0("PGHOST=127.0.0.1 PGPORT=", env("DIRECT_PORT"), " psql -XqAt -c \"DO 'BEGIN FOR i IN 1..1000 LOOP PERFORM pg_stat_clear_snapshot();",
		" EXIT WHEN (SELECT count(pg_cancel_backend(pid)) > 0 FROM pg_stat_activity WHERE state = ''active'' AND query LIKE ''%<=>%'' AND pid <> pg_backend_pid());",
		" PERFORM pg_sleep(0.01); END LOOP; END'\""), wait = FALSE)
	began <- Sys.time()
	error <- tryCatch({ rows(paste0("SELECT id FROM items ORDER BY embedding <=> '", vector, "' LIMIT 3")); "it was not cancelled" },
		error = conditionMessage, warning = conditionMessage)
	stopifnot(difftime(Sys.time(), began, units = "secs") < 15)
	# why is printed, and not part of the error
	if (!grepl("cancel|Could not create execute", error)) stop(error)
	equal(rows("SELECT 1"), data.frame(1L))
})
cat(sprintf("1..%d\n", number))
quit(status = if (failed > 0) 1 else 0)
