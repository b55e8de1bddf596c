/*
 * JDBC: pgjdbc.  Metadata, statements that the server prepares after five executions, cursors
 * by fetchSize, setMaxRows, batches, arrays, PGobject, updatable result sets, cancelling.
 */
import java.sql.*;
import java.util.*;
import java.util.concurrent.Callable;
import org.postgresql.PGStatement;
import org.postgresql.util.PGobject;

class Client {
	static final String via = System.getenv("VIA");
	static final Float[] vector = {0.9f, -0.2f, 0.4f, 0.1f, -0.7f, 0.3f, 0.5f, -0.6f};
	static Connection aside, connection;
	static int number = 0, failed = 0;

	interface Test { void run() throws Exception; }
	interface Ask { Object of(String table) throws Exception; }

	static void check(String name, Test test) {
		number++;
		try {
			test.run();
			System.out.println("ok " + number + " - " + name);
		} catch (Throwable e) {
			failed++;
			System.out.println("not ok " + number + " - " + name + "\n# " + String.valueOf(e).replace("\n", "\n# "));
		}
	}

	static void equal(Object there, Object here) {
		if (!Objects.equals(there, here))
			throw new AssertionError(there + "\nis not\n" + here);
	}

	static <T> T question(String name, Callable<T> ask) throws Exception {
		rows(aside, "SELECT question(?)", name);
		try {
			return ask.call();
		} finally {
			rows(aside, "SELECT question(NULL)");
		}
	}

	/* The same question to the foreign table and to its local copy, and the same answer. */
	static void same(String name, int least, Ask ask) {
		check(name, () -> {
			Object there = question(name, () -> ask.of("items")), here = ask.of("items_local");
			if (here instanceof List<?> list && list.size() < least)
				throw new AssertionError("only " + list.size() + " rows");
			equal(there, here);
		});
	}

	/* The same write to both; afterwards they are the same. */
	static void write(String name, Ask ask) {
		check(name, () -> {
			equal(question(name, () -> ask.of("notes")), ask.of("notes_local"));
			equal(rows(aside, "SELECT id, embedding, title, year, metadata FROM notes ORDER BY id"),
				rows(aside, "SELECT id, embedding, title, year, coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('title', title, 'year', year)) FROM notes_local ORDER BY id"));
		});
	}

	static void refused(String name, String pattern, Test test) {
		check(name, () -> {
			try {
				test.run();
			} catch (SQLException e) {
				if (!e.getMessage().matches("(?s).*(" + pattern + ").*"))
					throw e;
				return;
			}
			throw new AssertionError("it was not refused");
		});
	}

	static Object plain(Object value) throws SQLException {
		if (value instanceof java.sql.Array array)
			return Arrays.asList((Object[]) array.getArray());
		return value instanceof PGobject object ? object.getValue() : value;
	}

	static List<List<Object>> read(ResultSet set) throws SQLException {
		List<List<Object>> rows = new ArrayList<>();
		while (set.next()) {
			List<Object> row = new ArrayList<>();
			for (int i = 1; i <= set.getMetaData().getColumnCount(); i++)
				row.add(plain(set.getObject(i)));
			rows.add(row);
		}
		return rows;
	}

	static void bind(PreparedStatement statement, Object... values) throws SQLException {
		for (int i = 0; i < values.length; i++)
			if (values[i] instanceof Object[] array)
				statement.setArray(i + 1, statement.getConnection().createArrayOf(array instanceof Float[] ? "float4" : "text", array));
			else
				statement.setObject(i + 1, values[i]);
	}

	static List<List<Object>> rows(Connection on, String text, Object... values) throws SQLException {
		try (PreparedStatement statement = on.prepareStatement(text)) {
			bind(statement, values);
			return read(statement.executeQuery());
		}
	}

	static List<List<Object>> rows(String text, Object... values) throws SQLException {
		return rows(connection, text, values);
	}

	static int execute(String text, Object... values) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(text)) {
			bind(statement, values);
			return statement.executeUpdate();
		}
	}

	static List<Object> column(ResultSet set, String name) throws SQLException {
		List<Object> values = new ArrayList<>();
		while (set.next())
			values.add(set.getObject(name));
		return values;
	}

	static PGobject pgobject(String type, String value) throws SQLException {
		PGobject object = new PGobject();
		object.setType(type);
		object.setValue(value);
		return object;
	}

	static Float[] moved(int i) {
		return Arrays.stream(vector).map(v -> v + i / 10f).toArray(Float[]::new);
	}

	static Float[] embedding(int i) {
		Float[] made = new Float[8];
		for (int d = 0; d < 8; d++)
			made[d] = (i + d) / 16f + 0.125f;
		return made;
	}

	static int sum(int[] counts) {
		return Arrays.stream(counts).sum();
	}

	/* In a transaction, which is rolled back: cursors need one. */
	static <T> T transaction(Callable<T> ask) throws Exception {
		connection.setAutoCommit(false);
		try {
			return ask.call();
		} finally {
			connection.rollback();
			connection.setAutoCommit(true);
		}
	}

	public static void main(String[] arguments) throws Exception {
		String url = "jdbc:postgresql://127.0.0.1:%s/" + System.getenv("PGDATABASE") + "?user=" + System.getenv("PGUSER");
		aside = DriverManager.getConnection(String.format(url, System.getenv("DIRECT_PORT")));
		/* pgbouncer 1.18 knows no prepared statements in transaction mode */
		connection = DriverManager.getConnection(String.format(url, System.getenv("PGPORT")) + (via.equals("direct") ? "" : "&prepareThreshold=0"));
		DatabaseMetaData metadata = connection.getMetaData();
		System.out.println("# version: " + metadata.getDriverVersion());
		boolean asTable = column(metadata.getTables(null, "public", "items", new String[] {"TABLE"}), "TABLE_NAME").contains("items");
		List<Object> kinds = column(metadata.getTables(null, "public", "items", null), "TABLE_TYPE");
		System.out.println("# lists: " + (asTable ? "yes" : kinds.isEmpty() ? "no" : "as " + kinds.get(0)));

		check("DatabaseMetaData", () -> {
			equal(column(metadata.getTables(null, null, "items%", new String[] {"FOREIGN TABLE"}), "TABLE_NAME"), List.of("items", "items_vector"));
			equal(column(metadata.getColumns(null, "public", "items", null), "COLUMN_NAME"),
				List.of("id", "embedding", "title", "category", "year", "price", "tags", "metadata", "score"));
			equal(column(metadata.getColumns(null, "public", "items", null), "DATA_TYPE"),
				List.of(Types.VARCHAR, Types.ARRAY, Types.VARCHAR, Types.VARCHAR, Types.INTEGER, Types.DOUBLE, Types.ARRAY, Types.OTHER, Types.DOUBLE));
			equal(column(metadata.getPrimaryKeys(null, "public", "items"), "COLUMN_NAME"), List.of());
			equal(column(metadata.getIndexInfo(null, "public", "items", false, true), "INDEX_NAME"), List.of());
		});
		check("types", () -> {
			List<Object> there = rows("SELECT * FROM items WHERE id = 'item-00007'").get(0);
			equal(there, rows("SELECT *, NULL::float8 FROM items_local WHERE id = 'item-00007'").get(0));
			equal(((List<?>) there.get(1)).get(0).getClass(), Float.class);
		});
		same("filter", 1, t -> rows("SELECT id, title, price FROM " + t + " WHERE category = ? AND year >= ? ORDER BY id", "books", 2015));
		same("knn", 10, t -> rows("SELECT id, title FROM " + t + " ORDER BY embedding <=> ? LIMIT 10", (Object) vector));
		check("kNN goes on when the server has prepared it, and its plan is generic", () -> {
			Map<String, List<Object>> answers = new HashMap<>();
			for (String t : new String[] {"items", "items_local"}) {
				answers.put(t, new ArrayList<>());
				try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM " + t + " WHERE year > ? ORDER BY embedding <=> ? LIMIT 7")) {
					for (int i = 0; i < 15; i++) {
						bind(statement, 1990 + i, moved(i));
						answers.get(t).add(read(statement.executeQuery()));
					}
					if (via.equals("direct")) {
						equal(statement.unwrap(PGStatement.class).isUseServerPrepare(), true);
						equal(rows("SELECT max(generic_plans) > 0 FROM pg_prepared_statements WHERE statement ~ ?", "FROM " + t + " WHERE year").get(0).get(0), true);
					}
					if (t.equals("items"))
						question("prepared", () -> read(statement.executeQuery()));
				}
			}
			equal(answers.get("items"), answers.get("items_local"));
			equal(rows(aside, "SELECT DISTINCT requests FROM asked WHERE client = 'jdbc' AND question = 'prepared'"), List.of(List.of(1)));
		});
		check("kNN with vectors of other types", () -> {
			List<List<Object>> here = rows("SELECT id FROM items_local ORDER BY embedding <=> ? LIMIT 10", (Object) vector);
			String text = Arrays.toString(vector);
			equal(rows("SELECT id FROM items_vector ORDER BY embedding <=> ? LIMIT 10", pgobject("vector", text)), here);
			equal(rows("SELECT id FROM items_vector ORDER BY embedding <=> CAST(? AS vector) LIMIT 10", text), here);
			equal(rows("SELECT id FROM items ORDER BY embedding <=> ? LIMIT 10", pgobject("float4[]", text.replace('[', '{').replace(']', '}'))), here);
			/* primitive arrays: float8[], and float4[] */
			double[] doubles = Arrays.stream(vector).mapToDouble(v -> Math.round(v * 10) / 10.0).toArray();
			try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM items ORDER BY embedding <=> ? LIMIT 10")) {
				statement.setObject(1, doubles);
				equal(read(statement.executeQuery()), here);
				float[] floats = new float[8];
				for (int i = 0; i < 8; i++)
					floats[i] = vector[i];
				statement.setObject(1, floats);
				equal(read(statement.executeQuery()), here);
			}
		});
		same("join", 10, t -> rows("SELECT o.number, i.title FROM orders o JOIN " + t + " i ON i.id = o.item_id WHERE o.customer = ? ORDER BY o.number", "customer 1"));
		same("pages", 3, t -> {
			List<List<List<Object>>> pages = new ArrayList<>();
			Object last = "";
			for (int i = 0; i < 3; i++) {
				pages.add(rows("SELECT id, year FROM " + t + " WHERE id > ? ORDER BY id LIMIT 100", last));
				last = pages.get(i).get(99).get(0);
			}
			return pages;
		});
		check("fetchSize: a cursor that stops early", () -> {
			List<Object> read = new ArrayList<>();
			question("cursor", () -> transaction(() -> {
				try (Statement statement = connection.createStatement()) {
					statement.setFetchSize(100);
					ResultSet set = statement.executeQuery("SELECT id FROM items ORDER BY id");
					while (read.size() < 200 && set.next())
						read.add(set.getString(1));
				}
				return null;
			}));
			equal(read, column(connection.createStatement().executeQuery("SELECT id FROM items_local ORDER BY id LIMIT 200"), "id"));
		});
		check("fetchSize: seven executions, all rows", () -> {
			List<List<Object>> here = rows("SELECT id, price FROM items_local WHERE year = 1999 ORDER BY id");
			transaction(() -> {
				try (PreparedStatement statement = connection.prepareStatement("SELECT id, price FROM items WHERE year = ? ORDER BY id")) {
					statement.setFetchSize(7);
					for (int i = 0; i < 7; i++) {
						statement.setInt(1, 1999);
						equal(read(statement.executeQuery()), here);
					}
				}
				return null;
			});
		});
		check("setMaxRows", () -> question("max rows", () -> {
			try (Statement statement = connection.createStatement()) {
				statement.setMaxRows(250);
				equal(read(statement.executeQuery("SELECT id, year FROM items ORDER BY id")), rows("SELECT id, year FROM items_local ORDER BY id LIMIT 250"));
			}
			return null;
		}));
		same("count(*)", 1, t -> rows("SELECT count(*) FROM " + t));
		same("count(1)", 1, t -> rows("SELECT count(1) FROM " + t + " WHERE category = 'maps'"));
		same("distinct", 5, t -> rows("SELECT DISTINCT category FROM " + t + " ORDER BY category"));
		check("limit", () -> {
			List<List<Object>> read = question("limit", () -> rows("SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000"));
			equal(read.size(), 1000);
			Object[] ids = read.stream().map(row -> (String) row.get(0)).toArray(String[]::new);
			equal(read, rows("SELECT * FROM items_local WHERE id = ANY (?) ORDER BY array_position(?, id)", ids, ids));
		});
		write("insert", t -> transaction(() -> {
			try (PreparedStatement statement = connection.prepareStatement("INSERT INTO " + t + " (id, embedding, title, year) VALUES (?, ?, ?, ?)")) {
				for (int i = 0; i < 50; i++) {
					bind(statement, String.format("note-%03d", i), embedding(i), "Note " + i, 2000 + i % 20);
					statement.addBatch();
				}
				int sent = sum(statement.executeBatch());
				connection.commit();
				return sent;
			}
		}));
		write("insert, reWriteBatchedInserts", t -> {
			try (Connection other = DriverManager.getConnection(String.format(url, System.getenv("PGPORT")) + "&reWriteBatchedInserts=true" + (via.equals("direct") ? "" : "&prepareThreshold=0"));
				 PreparedStatement statement = other.prepareStatement("INSERT INTO " + t + " (id, embedding, title) VALUES (?, ?, ?)")) {
				for (int i = 60; i < 80; i++) {
					bind(statement, String.format("note-%03d", i), embedding(i), "Note " + i);
					statement.addBatch();
				}
				return statement.executeBatch().length;
			}
		});
		write("update", t -> execute("UPDATE " + t + " SET title = ? WHERE year = ?", "changed", 2003));
		write("delete", t -> execute("DELETE FROM " + t + " WHERE id = ANY (?)", (Object) new String[] {"note-001", "note-002", "note-030"}));
		write("rollback, and a savepoint", t -> transaction(() -> {
			execute("UPDATE " + t + " SET title = 'not kept'");
			Savepoint savepoint = connection.setSavepoint();
			int gone = execute("DELETE FROM " + t + " WHERE year = 2005");
			connection.rollback(savepoint);
			return gone + " " + rows("SELECT count(*) FROM " + t + " WHERE title = 'not kept'");
		}));
		refused("updatable result sets want a primary key", "unique key", () -> {
			try (Statement statement = connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE)) {
				ResultSet set = statement.executeQuery("SELECT id, title FROM notes");
				set.next();
				set.updateString("title", "x");
				set.updateRow();
			}
		});
		refused("INSERT ... ON CONFLICT DO UPDATE with a value of its own is refused, with advice", "ON CONFLICT",
			() -> execute("INSERT INTO notes (id, title) VALUES ('note-003', 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!'"));
		for (boolean byTimeout : new boolean[] {false, true})
			check(byTimeout ? "a query timeout, which cancels" : "cancel", () -> {
				rows(aside, "SELECT slow(30000)");
				long began = System.nanoTime();
				try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM items ORDER BY embedding <=> ? LIMIT 3")) {
					bind(statement, (Object) vector);
					if (byTimeout)
						statement.setQueryTimeout(1);
					else
						new Thread(() -> {
							try {
								while (rows(aside, "SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' AND query ~ 'items' AND query !~ 'pg_stat_activity'").isEmpty())
									Thread.sleep(10);
								statement.cancel();
							} catch (Exception e) {
								System.out.println("# " + e);
							}
						}).start();
					statement.executeQuery();
					throw new AssertionError("it was not cancelled");
				} catch (SQLException e) {
					equal(e.getSQLState(), "57014");
				} finally {
					rows(aside, "SELECT slow(0)");
				}
				if (System.nanoTime() - began > 15e9)
					throw new AssertionError("it waited");
				equal(rows("SELECT 1"), List.of(List.of(1)));
			});
		System.out.println("1.." + number);
		System.exit(failed > 0 ? 1 : 0);
	}
}
