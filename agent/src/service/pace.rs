//! How often a site may open a page in front of the holder.
use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

/// The window in which calls are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Most sites that are counted apart; beyond that they share one count.
const SITES_LIMIT: usize = 256;

/// A limit of calls in a minute, for each site and for all together.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// For each site.
    pub each: usize,
    /// For all together.
    pub all: usize,
}

/// Counts calls.
pub struct Pace {
    rate: Rate,
    all: VecDeque<Instant>,
    sites: HashMap<String, VecDeque<Instant>>,
}

impl Pace {
    /// Nothing counted yet.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            all: VecDeque::new(),
            sites: HashMap::new(),
        }
    }

    /// Counts a call of a site; false if it is one too many, and then it does not count.
    pub fn admits(&mut self, site: &str, now: Instant) -> bool {
        let recent = |calls: &mut VecDeque<Instant>| {
            while calls
                .front()
                .is_some_and(|call| now.duration_since(*call) >= WINDOW)
            {
                calls.pop_front();
            }
        };
        recent(&mut self.all);
        self.sites.retain(|_, calls| {
            recent(calls);
            !calls.is_empty()
        });
        let site = if self.sites.len() >= SITES_LIMIT && !self.sites.contains_key(site) {
            ""
        } else {
            site
        };
        let calls = self.sites.entry(site.to_owned()).or_default();
        if calls.len() >= self.rate.each || self.all.len() >= self.rate.all {
            return false;
        }
        calls.push_back(now);
        self.all.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_limited_for_each_site_and_for_all_and_come_back_after_a_minute() {
        let start = Instant::now();
        let mut pace = Pace::new(Rate { each: 2, all: 3 });
        assert!(pace.admits("a", start));
        assert!(pace.admits("a", start));
        assert!(!pace.admits("a", start));
        assert!(pace.admits("b", start));
        assert!(!pace.admits("c", start));
        let later = start + WINDOW;
        assert!(pace.admits("a", later));
        assert!(pace.admits("c", later));
    }
}
