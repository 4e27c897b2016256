//! Certificate policies along a path: RFC 5280, 6.1, with the graph of RFC 9618 in place of the tree, whose size could grow
//! exponentially. A level holds each policy once, so the graph is never larger than the extensions it comes from.

use std::collections::{BTreeMap, BTreeSet};

use const_oid::ObjectIdentifier;

use crate::oid;

#[derive(Debug)]
struct Node {
    expected: BTreeSet<ObjectIdentifier>,
    /// Policies of the level above.
    parents: BTreeSet<ObjectIdentifier>,
}

/// The valid policy graph; empty once no policy is left.
#[derive(Debug)]
pub(super) struct PolicyGraph {
    levels: Vec<BTreeMap<ObjectIdentifier, Node>>,
}

impl PolicyGraph {
    /// Depth 0: anyPolicy (RFC 9618, 5.2).
    pub(super) fn new() -> Self {
        let root = Node {
            expected: BTreeSet::from([oid::ANY_POLICY]),
            parents: BTreeSet::new(),
        };
        Self {
            levels: vec![BTreeMap::from([(oid::ANY_POLICY, root)])],
        }
    }

    /// Whether no policy is left ("the graph is NULL").
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Takes in the policies of the next certificate; `None` where it names none (RFC 9618, 5.3, d and e).
    pub(super) fn descend(&mut self, policies: Option<&[ObjectIdentifier]>, any_counts: bool) {
        let (Some(policies), Some(above)) = (policies, self.levels.last()) else {
            self.levels.clear();
            return;
        };
        // Who expects what in the level above.
        let mut expecting: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>> = BTreeMap::new();
        for (policy, node) in above {
            for expected in &node.expected {
                expecting.entry(*expected).or_default().insert(*policy);
            }
        }
        let mut level = BTreeMap::new();
        let child = |policy, parents| Node {
            expected: BTreeSet::from([policy]),
            parents,
        };
        for policy in policies
            .iter()
            .copied()
            .filter(|policy| *policy != oid::ANY_POLICY)
        {
            if let Some(parents) = expecting.get(&policy) {
                level.insert(policy, child(policy, parents.clone()));
            } else if above.contains_key(&oid::ANY_POLICY) {
                level.insert(policy, child(policy, BTreeSet::from([oid::ANY_POLICY])));
            }
        }
        if policies.contains(&oid::ANY_POLICY) && any_counts {
            for (policy, parents) in expecting {
                level.entry(policy).or_insert_with(|| child(policy, parents));
            }
        }
        self.levels.push(level);
        self.prune();
    }

    /// Applies the mappings of the certificate just taken in (RFC 9618, 5.4, b).
    pub(super) fn map(&mut self, mappings: &[(ObjectIdentifier, ObjectIdentifier)], allowed: bool) {
        let mut by_issuer: BTreeMap<ObjectIdentifier, BTreeSet<ObjectIdentifier>> = BTreeMap::new();
        for (issuer, subject) in mappings {
            by_issuer.entry(*issuer).or_default().insert(*subject);
        }
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        for (issuer, subjects) in by_issuer {
            if !allowed {
                level.remove(&issuer);
            } else if let Some(node) = level.get_mut(&issuer) {
                node.expected = subjects;
            } else if level.contains_key(&oid::ANY_POLICY) {
                let parents = BTreeSet::from([oid::ANY_POLICY]);
                level.insert(
                    issuer,
                    Node {
                        expected: subjects,
                        parents,
                    },
                );
            }
        }
        self.prune();
    }

    /// Whether a policy is left that the user takes; `None` takes any (RFC 9618, 5.5, g).
    pub(super) fn satisfies(&self, initial: Option<&BTreeSet<ObjectIdentifier>>) -> bool {
        let Some(initial) = initial.filter(|initial| !initial.contains(&oid::ANY_POLICY)) else {
            return !self.is_empty();
        };
        if self.is_empty() {
            return false;
        }
        let last = self.levels.last();
        if last.is_some_and(|level| level.contains_key(&oid::ANY_POLICY)) {
            return !initial.is_empty();
        }
        // The policies in terms of the trust anchor: those right below an anyPolicy.
        self.levels.iter().skip(1).flatten().any(|(policy, node)| {
            *policy != oid::ANY_POLICY && node.parents.contains(&oid::ANY_POLICY) && initial.contains(policy)
        })
    }

    /// Takes away what has no child in the level below, from the bottom up; nothing at the bottom is nothing at all.
    fn prune(&mut self) {
        for depth in (1..self.levels.len()).rev() {
            let used: BTreeSet<ObjectIdentifier> = self.levels[depth]
                .values()
                .flat_map(|node| node.parents.iter().copied())
                .collect();
            self.levels[depth - 1].retain(|policy, _| used.contains(policy));
        }
        if self.levels.iter().any(BTreeMap::is_empty) {
            self.levels.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(last: u32) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap("1.2.156.1").push_arc(last).unwrap()
    }

    #[test]
    fn mappings_of_everything_to_everything_stay_small() {
        // The tree of RFC 5280 would have 20^12 leaves.
        let policies: Vec<_> = (1..=20).map(policy).collect();
        let mappings: Vec<_> = policies
            .iter()
            .flat_map(|from| policies.iter().map(|to| (*from, *to)))
            .collect();
        let mut graph = PolicyGraph::new();
        for _ in 0..12 {
            graph.descend(Some(&policies), true);
            graph.map(&mappings, true);
        }
        assert!(graph.levels.iter().all(|level| level.len() <= 20));
        assert!(graph.satisfies(Some(&BTreeSet::from([policy(7)]))));
        assert!(!graph.satisfies(Some(&BTreeSet::from([policy(21)]))));
    }

    #[test]
    fn a_mapped_policy_counts_as_the_one_of_the_trust_anchor() {
        let mut graph = PolicyGraph::new();
        graph.descend(Some(&[policy(1)]), true);
        graph.map(&[(policy(1), policy(2))], true);
        graph.descend(Some(&[policy(2)]), true);
        assert!(graph.satisfies(Some(&BTreeSet::from([policy(1)]))));
        assert!(!graph.satisfies(Some(&BTreeSet::from([policy(2)]))));
        graph.map(&[(policy(2), policy(3))], false);
        assert!(graph.is_empty() && !graph.satisfies(None));
    }
}
