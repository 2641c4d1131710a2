package clients;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The official Java client, unmodified, put through what producers and consumers do; run against two brokers, and what it
 * prints is compared.
 *
 * <pre>
 * Run NAMESRV [SCENARIO...]   every scenario, or those named, side by side; then the outcome of each, in order
 * Run topics NAMESRV NAME:QUEUES...          makes topics, for the clients of other languages
 * Run member NAMESRV GROUP TOPIC INSTANCE   one push consumer that is there to be killed
 * Run half NAMESRV GROUP TOPIC              a producer that dies with its transaction open
 * </pre>
 *
 * An outcome is a line of JSON and says nothing that may differ from run to run: no offsets of the log, ids, times or
 * addresses, but what they have to be like. A boolean in it is a promise, and has to be true.
 */
public final class Run {
  interface Scenario {
    void run(Env env, Outcome out) throws Exception;
  }

  private static Map<String, Scenario> scenarios() {
    Map<String, Scenario> all = new LinkedHashMap<>();
    all.put("send", Sending::run);
    all.put("refused", Refused::run);
    all.put("request", RequestReply::run);
    all.put("push", Pushed::run);
    all.put("progress", Pushed::progress);
    all.put("tags", Tags::run);
    all.put("sql", Sql::run);
    all.put("litepull", LitePull::run);
    all.put("orderly", Orderly::run);
    all.put("takeorder", Orderly::handOver);
    all.put("broadcast", Broadcast::run);
    all.put("members", Members::run);
    all.put("killed", Members::killed);
    all.put("retry", Retry::run);
    all.put("orderlyretry", Retry::orderly);
    all.put("delay", Delay::run);
    all.put("timer", Timers::run);
    all.put("transaction", Transactions::run);
    all.put("orphan", Transactions::orphan);
    all.put("reset", Reset::run);
    all.put("query", Query::run);
    all.put("start", Starting::run);
    all.put("pull", Starting::pulls);
    all.put("names", Starting::names);
    all.put("trace", Trace::run);
    all.put("pop", Popping::run);
    all.put("popmixed", Popping::mixed);
    return all;
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("member")) {
      Members.child(args[1], args[2], args[3], args[4]);
      return;
    }
    if (args[0].equals("half")) {
      Transactions.child(args[1], args[2], args[3]);
      return;
    }
    if (args[0].equals("topics")) {
      Env env = new Env(args[1]);
      for (String topic : Arrays.asList(args).subList(2, args.length)) {
        env.topic(topic.split(":")[0], Integer.parseInt(topic.split(":")[1]));
      }
      Runtime.getRuntime().halt(0);
    }
    List<String> named = Arrays.asList(args).subList(1, args.length);
    Env env = new Env(args[0]);
    ExecutorService pool = Executors.newCachedThreadPool();
    List<Outcome> outcomes = new ArrayList<>();
    List<Future<?>> running = new ArrayList<>();
    for (Map.Entry<String, Scenario> one : scenarios().entrySet()) {
      if (!named.isEmpty() && !named.contains(one.getKey())) {
        continue;
      }
      Outcome out = new Outcome(one.getKey());
      outcomes.add(out);
      running.add(pool.submit(() -> {
        long begin = System.nanoTime();
        try {
          one.getValue().run(env, out);
        } catch (Throwable e) {
          out.failed(e);
        }
        System.err.printf("%s took %d ms%n", one.getKey(), (System.nanoTime() - begin) / 1_000_000);
        return null;
      }));
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(400);
    for (int i = 0; i < running.size(); i++) {
      try {
        running.get(i).get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (java.util.concurrent.TimeoutException e) {
        outcomes.get(i).failed(new Exception("not done in time"));
      }
    }
    for (Outcome out : outcomes) {
      out.print();
    }
    System.out.flush();
    // Clients that a scenario left behind hold threads.
    Runtime.getRuntime().halt(0);
  }
}
