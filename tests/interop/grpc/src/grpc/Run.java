package grpc;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Run PROXY: every scenario, side by side; then a line of each, {@code NAME OUTCOME}, in order. */
public final class Run {
  interface Scenario {
    Object run(Env env) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    Map<String, Scenario> all = new LinkedHashMap<>();
    all.put("push", Scenarios::push);
    all.put("sql", Scenarios::sql);
    all.put("fifo", Scenarios::fifo);
    all.put("delay", Scenarios::delay);
    all.put("transactions", Scenarios::transactions);
    all.put("simple", Scenarios::simple);
    all.put("dead", Scenarios::deadLetter);
    Env env = new Env(args[0]);
    ExecutorService pool = Executors.newCachedThreadPool();
    Map<String, Future<Object>> running = new LinkedHashMap<>();
    all.forEach((name, scenario) -> running.put(name, pool.submit(() -> scenario.run(env))));
    for (Map.Entry<String, Future<Object>> one : running.entrySet()) {
      try {
        System.out.println(one.getKey() + " " + one.getValue().get());
      } catch (Exception e) {
        System.out.println(one.getKey() + " failed: " + e.getMessage());
        e.printStackTrace();
      }
    }
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }
}
