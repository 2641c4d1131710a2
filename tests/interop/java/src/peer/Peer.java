package peer;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.serializer.SerializerFeature;
import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The official Java client as a command, so that shell tests can ask a broker (either make) what it serves.
 *
 * <pre>
 * Peer dump NAMESRV TOPIC...         every message, one JSON object a line, queue by queue; a light queue (%LMQ%...)
 *                                    behind a topic, as there is no route to it
 * Peer query NAMESRV TOPIC KEY...    the messages of each key
 * Peer send NAMESRV TOPIC COUNT TAG  COUNT messages, single sends and a batch, then one line a message: what was acknowledged
 * </pre>
 */
public final class Peer {
  private static final PrintWriter OUT =
      new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));

  public static void main(String[] args) {
    Main.exitAfter(() -> {
      try {
        List<String> rest = Arrays.asList(args).subList(2, args.length);
        switch (args[0]) {
          case "dump": dump(args[1], rest); break;
          case "query": query(args[1], rest.get(0), rest.subList(1, rest.size())); break;
          case "send": send(args[1], rest.get(0), Integer.parseInt(rest.get(1)), rest.get(2)); break;
          default: throw new IllegalArgumentException(args[0]);
        }
      } finally {
        OUT.flush();
      }
      return true;
    });
  }

  private static DefaultMQPullConsumer consumer(String namesrv) throws Exception {
    DefaultMQPullConsumer consumer = new DefaultMQPullConsumer("peer_dump");
    consumer.setNamesrvAddr(namesrv);
    consumer.setInstanceName("peer" + System.nanoTime());
    consumer.start();
    return consumer;
  }

  private static void dump(String namesrv, List<String> topics) throws Exception {
    DefaultMQPullConsumer consumer = consumer(namesrv);
    for (String topic : topics) {
      List<MessageQueue> queues = topic.startsWith("%LMQ%")
          ? new ArrayList<>(List.of(new MessageQueue(topic, "broker-a", 0)))
          : new ArrayList<>(consumer.fetchSubscribeMessageQueues(topic));
      Collections.sort(queues);
      for (MessageQueue queue : queues) {
        long offset = consumer.minOffset(queue);
        long max = consumer.maxOffset(queue);
        int stuck = 0;
        while (offset < max) {
          PullResult result = consumer.pull(queue, "*", offset, 32);
          if (result.getPullStatus() == PullStatus.FOUND) {
            for (MessageExt m : result.getMsgFoundList()) {
              OUT.println(JSON.toJSONString(describe(m), SerializerFeature.MapSortField));
            }
            stuck = 0;
          } else if (++stuck > 100) {
            throw new IllegalStateException(queue + " at " + offset + " of " + max + ": " + result);
          }
          offset = result.getNextBeginOffset();
        }
      }
    }
  }

  private static void query(String namesrv, String topic, List<String> keys) throws Exception {
    DefaultMQPullConsumer consumer = consumer(namesrv);
    for (String key : keys) {
      List<Long> offsets = new ArrayList<>();
      try {
        QueryResult result = consumer.queryMessage(topic, key, 64, 0, Long.MAX_VALUE);
        for (MessageExt m : result.getMessageList()) {
          offsets.add(m.getCommitLogOffset());
        }
      } catch (org.apache.rocketmq.client.exception.MQClientException e) {
        // none found
      }
      Collections.sort(offsets);
      Map<String, Object> line = new TreeMap<>();
      line.put("key", key);
      line.put("physicalOffsets", offsets);
      OUT.println(JSON.toJSONString(line));
    }
  }

  private static void send(String namesrv, String topic, int count, String tag) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer("peer_send");
    producer.setNamesrvAddr(namesrv);
    producer.setSendMsgTimeout(10000);
    producer.start();
    List<Message> batch = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] body = ("中文 " + tag + " " + i).getBytes(StandardCharsets.UTF_8);
      Message message = new Message(topic, tag, "key" + i, body);
      message.putUserProperty("number", String.valueOf(i));
      if (i < count / 2) {
        acknowledged(producer.send(message));
      } else {
        batch.add(message);
      }
    }
    if (!batch.isEmpty()) {
      acknowledged(producer.send(batch));
    }
    producer.shutdown();
  }

  private static void acknowledged(SendResult result) {
    Map<String, Object> line = new TreeMap<>();
    line.put("status", result.getSendStatus().name());
    line.put("queueId", result.getMessageQueue().getQueueId());
    line.put("queueOffset", result.getQueueOffset());
    line.put("msgId", result.getMsgId());
    line.put("offsetMsgId", result.getOffsetMsgId());
    OUT.println(JSON.toJSONString(line));
  }

  // The names of the tools' JSON where there is one; the body as its hash.
  private static Map<String, Object> describe(MessageExt m) throws Exception {
    Map<String, Object> line = new TreeMap<>();
    line.put("topic", m.getTopic());
    line.put("queue", m.getQueueId());
    line.put("offset", m.getQueueOffset());
    line.put("physicalOffset", m.getCommitLogOffset());
    line.put("size", m.getStoreSize());
    line.put("offsetMsgId", offsetId(m));
    line.put("bornTime", m.getBornTimestamp());
    line.put("storeTime", m.getStoreTimestamp());
    line.put("flag", m.getFlag());
    line.put("bodyCrc", m.getBodyCRC());
    line.put("reconsumeTimes", m.getReconsumeTimes());
    Map<String, String> properties = new TreeMap<>(new HashMap<>(m.getProperties()));
    // Added by the client while reading.
    properties.remove("MIN_OFFSET");
    properties.remove("MAX_OFFSET");
    line.put("properties", properties);
    byte[] body = m.getBody() == null ? new byte[0] : m.getBody();
    StringBuilder hex = new StringBuilder();
    for (byte b : MessageDigest.getInstance("SHA-256").digest(body)) {
      hex.append(String.format("%02x", b));
    }
    line.put("bodySha256", hex.toString());
    line.put("bodyLength", body.length);
    return line;
  }

  private static String offsetId(MessageExt m) throws Exception {
    java.net.InetSocketAddress host = (java.net.InetSocketAddress) m.getStoreHost();
    byte[] address = host.getAddress().getAddress();
    java.nio.ByteBuffer buffer = java.nio.ByteBuffer.allocate(address.length + 12);
    buffer.put(address).putInt(host.getPort()).putLong(m.getCommitLogOffset());
    StringBuilder hex = new StringBuilder();
    for (byte b : buffer.array()) {
      hex.append(String.format("%02X", b));
    }
    return hex.toString();
  }
}
