package peer;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.filter.FilterFactory;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.expression.Expression;

/**
 * Holds the lines of tests/interop/sql_cases.cc, on stdin, against the reference's filter classes: prints each line on which
 * the two differ, then one line with the number of cases and of each result.
 */
public final class SqlCases {
  private static final class Given implements EvaluationContext {
    private final Map<String, Object> values = new HashMap<>();

    @Override
    public Object get(String name) {
      return values.get(name);
    }

    @Override
    public Map<String, Object> keyValues() {
      return values;
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    Map<String, Integer> seen = new java.util.TreeMap<>();
    int cases = 0;
    int different = 0;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t", -1);
      String text = text(parts[0]);
      Given given = new Given();
      for (String pair : parts[1].split(",")) {
        if (!pair.isEmpty()) {
          String[] sides = pair.split("=", -1);
          given.values.put(text(sides[0]), text(sides[1]));
        }
      }
      String theirs = result(text, given);
      seen.merge(theirs, 1, Integer::sum);
      cases++;
      if (!theirs.equals(parts[2])) {
        different++;
        System.out.println("DIFFERENT: " + text.replace("\n", "\\n") + "  on " + given.values + ": ours " + parts[2] + ", theirs " + theirs);
      }
    }
    System.out.println("cases " + cases + " different " + different + " " + seen);
    System.exit(different == 0 && cases > 0 ? 0 : 1);
  }

  private static String result(String text, Given given) {
    Expression expression;
    try {
      expression = FilterFactory.INSTANCE.get("SQL92").compile(text);
    } catch (Throwable e) {
      return "E";
    }
    try {
      Object value = expression.evaluate(given);
      return value == null ? "N" : Boolean.TRUE.equals(value) ? "T" : "F";
    } catch (Throwable e) {
      return "X";
    }
  }

  private static String text(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
