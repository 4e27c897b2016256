//! Wherever a run stops, the next one ends with the same serial numbers and one pair.
use crate::stopping::Stop;
use crate::world::World;

#[tokio::test]
async fn a_run_that_stops_anywhere_is_completed_with_the_recorded_serials() {
    for stop in Stop::ISSUING {
        let world = World::new().await;
        world.put_unit(1).await;
        world.stopping.stop_at(stop);
        world.ask_anew(1).await.unwrap_err();
        let recorded = world.stopping.tried.lock().unwrap().clone();
        for _ in 0..3 {
            world.ask_anew(1).await.unwrap();
        }
        let serials = world.assert_one_pair(1).await;
        let tried = world.stopping.tried.lock().unwrap().clone();
        assert_eq!(tried.len(), 1, "{stop:?}: one record is made");
        assert_eq!(tried[0], serials, "{stop:?}");
        let unrecorded = matches!(stop, Stop::BeforePair | Stop::AfterPair | Stop::BeforeRecord);
        assert_eq!(recorded.is_empty(), unrecorded, "{stop:?}");
        world.assert_good(1).await;
    }
}

#[tokio::test]
async fn two_stops_in_a_row_change_nothing() {
    for first in Stop::ISSUING {
        for second in Stop::ISSUING {
            let world = World::new().await;
            world.put_unit(1).await;
            for stop in [first, second] {
                world.stopping.stop_at(stop);
                // The second stop may lie before the place where this run begins.
                world.ask_anew(1).await.err();
            }
            world.stopping.go_on();
            world.ask_anew(1).await.unwrap();
            world.assert_good(1).await;
            let serials = world.assert_one_pair(1).await;
            let tried = world.stopping.tried.lock().unwrap().clone();
            assert_eq!(tried, [serials.to_vec()], "{first:?}, {second:?}");
        }
    }
}

#[tokio::test]
async fn a_run_that_prepared_too_late_takes_the_other_runs_record() {
    for stop in [
        Stop::AfterRecord,
        Stop::AfterComplete,
        Stop::BeforeRegister,
        Stop::AfterRegister,
        Stop::BeforeSave,
    ] {
        let world = World::new().await;
        world.put_unit(1).await;
        world.stopping.stop_at(stop);
        world.ask(1).await.unwrap_err();
        // The second run looked for a record before the first one made it.
        world.stopping.go_blind();
        world.ask_anew(1).await.unwrap();
        let serials = world.assert_one_pair(1).await;
        let tried = world.stopping.tried.lock().unwrap().clone();
        assert_eq!(tried.len(), 2);
        assert_ne!(tried[0], tried[1]);
        assert_eq!(tried[0], serials);
    }
}
