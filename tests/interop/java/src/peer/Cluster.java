package peer;

import com.alibaba.fastjson.JSON;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Topics on several brokers through the official client: sends COUNT messages, consumes them as a group, and says as one
 * JSON object a topic what went to and came from which broker.
 *
 * <pre>
 * Cluster COUNT plain|tls NAMESRV TOPIC [NAMESRV TOPIC]...
 * </pre>
 */
public final class Cluster {
  public static void main(String[] args) {
    Main.exitAfter(() -> {
      boolean ok = true;
      for (int i = 2; i + 1 < args.length; i += 2) {
        ok &= through(args[i], args[i + 1], Integer.parseInt(args[0]), args[1].equals("tls"));
      }
      return ok;
    });
  }

  private static boolean through(String namesrv, String topic, int count, boolean tls) throws Exception {
    String group = "group_" + topic;
    Map<String, Integer> sent = new TreeMap<>();
    Set<String> wanted = ConcurrentHashMap.newKeySet();
    DefaultMQProducer producer = new DefaultMQProducer(group + "_producer");
    producer.setNamesrvAddr(namesrv);
    producer.setInstanceName(topic);
    producer.setUseTLS(tls);
    producer.setSendMsgTimeout(10000);
    producer.start();
    int failed = 0;
    for (int i = 0; i < count; i++) {
      Message message = new Message(topic, "tag", "key" + i, ("body " + i).getBytes(StandardCharsets.UTF_8));
      SendResult result = producer.send(message);
      if (result.getSendStatus() == SendStatus.SEND_OK) {
        sent.merge(result.getMessageQueue().getBrokerName(), 1, Integer::sum);
        wanted.add(result.getMsgId());
      } else {
        failed++;
      }
    }
    Map<String, Integer> received = new ConcurrentHashMap<>();
    AtomicInteger twice = new AtomicInteger();
    Set<String> missing = ConcurrentHashMap.newKeySet();
    missing.addAll(wanted);
    CountDownLatch all = new CountDownLatch(wanted.size());
    DefaultMQPushConsumer consumer = new DefaultMQPushConsumer(group);
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName(topic);
    consumer.setUseTLS(tls);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt message : messages) {
        if (missing.remove(message.getMsgId())) {
          received.merge(message.getBrokerName(), 1, Integer::sum);
          all.countDown();
        } else if (wanted.contains(message.getMsgId())) {
          twice.incrementAndGet();
        }
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    all.await(90, TimeUnit.SECONDS);
    consumer.shutdown();
    producer.shutdown();
    Map<String, Object> result = new TreeMap<>();
    result.put("topic", topic);
    result.put("sent", sent);
    result.put("failed", failed);
    result.put("received", new TreeMap<>(received));
    result.put("missing", missing.size());
    result.put("twice", twice.get());
    System.out.println(JSON.toJSONString(result));
    System.out.flush();
    return missing.isEmpty() && failed == 0;
  }
}
