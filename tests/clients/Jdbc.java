import java.math.BigDecimal;
import java.sql.*;
import java.util.*;

/** The habits of PostgreSQL's JDBC driver. */
public class Jdbc {
  static int failed;

  interface Work { String run() throws Exception; }

  static void habit(String name, Work work) {
    try {
      String note = work.run();
      System.out.println("PASS\tJDBC\t" + name + "\t" + (note == null ? "" : note));
    } catch (Throwable error) {
      failed++;
      System.out.println("FAIL\tJDBC\t" + name + "\t" + String.valueOf(error).replaceAll("\\s+", " "));
    }
  }

  static String refused(Work work, String words) throws Exception {
    try {
      work.run();
    } catch (SQLException error) {
      if (!error.getMessage().contains(words)) throw new AssertionError("the refusal does not say " + words + ": " + error.getMessage());
      return "refused: " + error.getMessage().split("\n")[0];
    }
    throw new AssertionError("it was not refused; expected " + words);
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " is not " + expected);
  }

  static Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", "postgres");
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    properties.setProperty("sslmode", "verify-full");
    properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    return DriverManager.getConnection("jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/md:", properties);
  }

  static long count(String table) throws SQLException {
    try (Connection other = connect(); ResultSet rows = other.createStatement().executeQuery("SELECT count(*) FROM " + table)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  public static void main(String[] args) throws Exception {
    try (Connection conn = connect()) {
      habit("example", () -> {
        try (ResultSet rows = conn.createStatement().executeQuery(
            "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5")) {
          int n = 0;
          while (rows.next()) n++;
          equal(n, 5);
        }
        return null;
      });
      habit("parameters", () -> {
        try (PreparedStatement statement = conn.prepareStatement("SELECT count(*) FROM sample_data.hn.hacker_news WHERE type = ? AND id < ?")) {
          for (int i = 1; i <= 12; i++) { // From the fifth time on it names the statement and reads binary values.
            statement.setString(1, "story");
            statement.setLong(2, 40000000L);
            try (ResultSet rows = statement.executeQuery()) { rows.next(); if (rows.getLong(1) < 1000) throw new AssertionError("too few"); }
          }
        }
        return "prepared after the fifth time";
      });
      habit("types", () -> {
        try (PreparedStatement statement = conn.prepareStatement(
            "SELECT 9007199254740993, 12345678901234567890.123456789::DECIMAL(38,9), TIMESTAMP '2024-02-29 23:59:59.123456', DATE '2024-02-29', true, 'ß', NULL, [1, 2, 3]")) {
          for (int i = 1; i <= 6; i++) {
            try (ResultSet rows = statement.executeQuery()) {
              rows.next();
              equal(rows.getLong(1), 9007199254740993L);
              equal(rows.getBigDecimal(2), new BigDecimal("12345678901234567890.123456789"));
              equal(rows.getTimestamp(3), Timestamp.valueOf("2024-02-29 23:59:59.123456"));
              equal(rows.getObject(4, java.time.LocalDate.class), java.time.LocalDate.of(2024, 2, 29));
              equal(rows.getBoolean(5), true);
              equal(rows.getString(6), "ß");
              equal(rows.getObject(7), null);
              equal(Arrays.toString((Object[]) rows.getArray(8).getArray()), "[1, 2, 3]");
            }
          }
        }
        return "text and binary";
      });
      habit("commit", () -> {
        conn.setAutoCommit(false);
        try (Statement statement = conn.createStatement()) {
          statement.execute("CREATE OR REPLACE TABLE jdbc_t (a INT, b VARCHAR)");
          equal(statement.executeUpdate("INSERT INTO jdbc_t VALUES (1, 'one'), (2, 'two')"), 2);
        }
        conn.commit();
        equal(count("jdbc_t"), 2L);
        return null;
      });
      habit("rollback", () -> {
        try (Statement statement = conn.createStatement()) { equal(statement.executeUpdate("DELETE FROM jdbc_t"), 2); }
        conn.rollback();
        equal(count("jdbc_t"), 2L);
        return null;
      });
      habit("error", () -> {
        refused(() -> { conn.createStatement().executeQuery("SELECT * FROM nope"); return null; }, "Table with name nope does not exist");
        refused(() -> { conn.createStatement().executeQuery("SELECT 1"); return null; }, "aborted");
        conn.rollback();
        conn.createStatement().executeQuery("SELECT 7");
        conn.rollback();
        return null;
      });
      habit("bulk", () -> {
        try (PreparedStatement statement = conn.prepareStatement("INSERT INTO jdbc_t VALUES (?, ?)")) {
          for (int i = 0; i < 100; i++) {
            statement.setInt(1, i);
            statement.setString(2, "row " + i);
            statement.addBatch();
          }
          equal(Arrays.stream(statement.executeBatch()).sum(), 100);
        }
        conn.commit();
        equal(count("jdbc_t WHERE b LIKE 'row %'"), 100L);
        conn.setAutoCommit(true);
        return "a batch";
      });
      habit("refusal", () -> {
        if (!conn.getAutoCommit()) { conn.rollback(); conn.setAutoCommit(true); }
        refused(() -> { conn.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE); return null; }, "isolation levels");
        return refused(() -> { conn.createStatement().execute("CREATE TEMP TABLE x (a INT)"); return null; }, "CREATE TEMP is not supported");
      });
      habit("catalog", () -> {
        DatabaseMetaData metadata = conn.getMetaData();
        List<String> names = new ArrayList<>();
        try (ResultSet tables = metadata.getTables(null, "main", "%", new String[] {"TABLE"})) { while (tables.next()) names.add(tables.getString("TABLE_NAME")); }
        if (!names.contains("jdbc_t")) throw new AssertionError(names.toString());
        List<String> schemas = new ArrayList<>();
        try (ResultSet rows = metadata.getSchemas()) { while (rows.next()) schemas.add(rows.getString(1)); }
        if (!schemas.contains("main")) throw new AssertionError(schemas.toString());
        return refused(() -> { metadata.getColumns(null, "main", "jdbc_t", "%"); return null; }, "pg_* functions");
      });
      habit("settings", () -> {
        conn.setClientInfo("ApplicationName", "a client");
        try (ResultSet rows = conn.createStatement().executeQuery("SHOW application_name")) { rows.next(); equal(rows.getString(1), "a client"); }
        try (ResultSet rows = conn.createStatement().executeQuery("SHOW extra_float_digits")) { rows.next(); equal(rows.getString(1), "3"); }
        if (!conn.isValid(5)) throw new AssertionError("isValid says no");
        return null;
      });
      habit("cursor", () -> {
        conn.setAutoCommit(false);
        try (Statement statement = conn.createStatement()) {
          statement.setFetchSize(500);
          int n = 0;
          try (ResultSet rows = statement.executeQuery("SELECT id FROM sample_data.hn.hacker_news")) { while (rows.next()) n++; }
          equal(n, 12000);
        }
        conn.commit();
        return "12,000 rows, 500 at a time";
      });
    }
    System.exit(failed == 0 ? 0 : 1);
  }
}
