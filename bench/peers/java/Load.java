// The official Java client as a load generator: COUNT messages of SIZE bytes, THREADS threads that each wait for their
// acknowledgement. Prints messages a second, after a warm-up of a tenth.
//   Load NAMESRV TOPIC SIZE COUNT THREADS
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

public class Load {
    public static void main(String[] args) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("bench");
        producer.setNamesrvAddr(args[0]);
        producer.setSendMsgTimeout(10_000);
        producer.start();
        long count = Long.parseLong(args[3]);
        int threads = Integer.parseInt(args[4]);
        byte[] body = new byte[Integer.parseInt(args[2])];
        run(producer, args[1], body, Math.max(threads, count / 10), threads);
        long begin = System.nanoTime();
        long failed = run(producer, args[1], body, count, threads);
        double seconds = (System.nanoTime() - begin) / 1e9;
        System.out.printf("{\"rate\":%.1f,\"failed\":%d}%n", count / seconds, failed);
        System.exit(failed == 0 ? 0 : 1);
    }

    static long run(DefaultMQProducer producer, String topic, byte[] body, long count, int threads) throws Exception {
        AtomicLong left = new AtomicLong(count);
        AtomicLong failed = new AtomicLong();
        CountDownLatch done = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            new Thread(() -> {
                while (left.getAndDecrement() > 0) {
                    try {
                        producer.send(new Message(topic, body));
                    } catch (Exception e) {
                        failed.incrementAndGet();
                    }
                }
                done.countDown();
            }).start();
        }
        done.await();
        return failed.get();
    }
}
