package peer;

import com.alibaba.fastjson.JSON;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * mqadmin as one process for many commands, as starting Java costs more than any of them.
 *
 * <pre>
 * Admin   each line of stdin is one command, its words separated by tabs; prints a JSON object a line: args, out, err
 * </pre>
 *
 * A line "#seconds N" changes how long one command may take (20 at first); one that takes longer is given up and said so.
 */
public final class Admin {
  public static void main(String[] args) throws Exception {
    PrintStream stdout = System.out;
    PrintStream stderr = System.err;
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    long seconds = 20;
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.isEmpty()) {
        continue;
      }
      if (line.startsWith("#seconds ")) {
        seconds = Long.parseLong(line.substring(9).trim());
        continue;
      }
      List<String> words = Arrays.asList(line.split("\t"));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      System.setOut(new PrintStream(out, true, "UTF-8"));
      System.setErr(new PrintStream(err, true, "UTF-8"));
      Thread worker = new Thread(() -> {
        try {
          MQAdminStartup.main0(words.toArray(new String[0]), null);
        } catch (Throwable e) {
          e.printStackTrace();
        }
      }, "command");
      worker.setDaemon(true);
      worker.start();
      worker.join(seconds * 1000);
      boolean givenUp = worker.isAlive();
      if (givenUp) {
        worker.interrupt();
      }
      System.setOut(stdout);
      System.setErr(stderr);
      Map<String, Object> result = new TreeMap<>();
      result.put("args", words);
      result.put("out", new String(out.toByteArray(), StandardCharsets.UTF_8));
      result.put("err", new String(err.toByteArray(), StandardCharsets.UTF_8));
      if (givenUp) {
        result.put("givenUp", true);
      }
      stdout.println(JSON.toJSONString(result));
      stdout.flush();
    }
    System.exit(0);
  }
}
