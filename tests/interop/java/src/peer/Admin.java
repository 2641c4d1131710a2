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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * mqadmin as one process for many commands, as starting Java costs more than any of them.
 *
 * <pre>
 * Admin   each line of stdin is one command, its words separated by tabs; prints a JSON object a line: args, out, err, ms
 * </pre>
 *
 * Commands that would end the process (mqadmin does so when it does not like its options) say so in `exit`.
 * A line "#seconds N" changes how long one command may take (20 at first); one that takes longer is given up and said so.
 * The line "#help" is mqadmin without arguments, which lists its commands.
 */
public final class Admin {
  /** Instead of the end of the process; not an exception, as mqadmin would take it for one of its own. */
  private static final class Exit extends Error {
    final int status;

    Exit(int status) {
      this.status = status;
    }
  }

  @SuppressWarnings("removal")
  private static void keepRunning() {
    System.setSecurityManager(new SecurityManager() {
      @Override
      public void checkPermission(java.security.Permission permission) {
        if (permission.getName().startsWith("exitVM.") && !Thread.currentThread().getName().equals("main")) {
          throw new Exit(Integer.parseInt(permission.getName().substring("exitVM.".length())));
        }
      }
    });
  }

  public static void main(String[] args) throws Exception {
    keepRunning();
    PrintStream stdout = System.out;
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
      List<String> words = line.equals("#help") ? List.of() : Arrays.asList(line.split("\t"));
      Map<String, Object> result = run(words, seconds);
      for (int again = 0; again < 2 && ranOutOfTime(result); again++) {
        result = run(words, seconds);
      }
      stdout.println(JSON.toJSONString(result));
      stdout.flush();
    }
    System.exit(0);
  }

  // mqadmin's own patience of a few seconds ends on a busy machine.
  private static boolean ranOutOfTime(Map<String, Object> result) {
    String text = "" + result.get("out") + result.get("err");
    return Stream.of("RemotingConnectException", "RemotingTimeoutException", "call timeout").anyMatch(text::contains);
  }

  private static Map<String, Object> run(List<String> words, long seconds) throws Exception {
    PrintStream stdout = System.out;
    PrintStream stderr = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, "UTF-8"));
    System.setErr(new PrintStream(err, true, "UTF-8"));
    AtomicInteger exit = new AtomicInteger();
    long begin = System.nanoTime();
    Thread worker = new Thread(() -> {
      try {
        MQAdminStartup.main0(words.toArray(new String[0]), null);
      } catch (Exit e) {
        exit.set(e.status);
      } catch (Throwable e) {
        e.printStackTrace();
      }
    }, "command");
    worker.setDaemon(true);
    worker.start();
    worker.join(seconds * 1000);
    boolean givenUp = worker.isAlive();
    Map<String, Object> result = new TreeMap<>();
    result.put("args", words);
    result.put("out", new String(out.toByteArray(), StandardCharsets.UTF_8));
    result.put("err", new String(err.toByteArray(), StandardCharsets.UTF_8));
    if (givenUp) {
      worker.interrupt();
      worker.join(5000);
    }
    System.setOut(stdout);
    System.setErr(stderr);
    result.put("ms", (System.nanoTime() - begin) / 1_000_000);
    if (exit.get() != 0) {
      result.put("exit", exit.get());
    }
    if (givenUp) {
      result.put("givenUp", true);
    }
    return result;
  }
}
