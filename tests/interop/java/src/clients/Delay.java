package clients;

import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** Delay levels: nothing early, everything once, as it was sent. Levels are configured as 1s 1s 1s 2s 3s … 3s. */
final class Delay {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtDelay", 2);
    Map<String, Long> sent_ms = new TreeMap<>();
    Arrivals arrivals = new Arrivals(env, "ct_delay_group", topic, "T");
    DefaultMQProducer producer = env.producer("ct_delay");
    Map<Integer, Long> waits = Map.of(0, 0L, 1, 1000L, 4, 2000L, 5, 3000L, 18, 3000L, 99, 3000L);
    for (int level : new int[] {0, 1, 4, 5, 18, 99}) {
      for (int i = 0; i < 3; i++) {
        String body = "level " + level + " " + i;
        Message message = Env.message(topic, "T", "k" + i, body);
        message.setDelayTimeLevel(level);
        sent_ms.put(body, System.currentTimeMillis());
        producer.send(message);
      }
    }
    out.say("everything came", Env.until(() -> arrivals.seen.distinct() == 18));
    boolean early = false;
    for (String body : sent_ms.keySet()) {
      long wait = waits.get(Integer.parseInt(body.split(" ")[1]));
      early = early || arrivals.before(body, sent_ms.get(body) + wait);
    }
    out.say("nothing early", !early);
    arrivals.finish(out);
    producer.shutdown();
  }
}
