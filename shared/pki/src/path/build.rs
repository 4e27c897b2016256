//! Finding paths: depth first from the target up, likely issuers first, no certificate and no holder of a key twice.

use std::cmp::Reverse;

use super::{Chain, MAX_PATH, MAX_PATHS, Session, Signer};

/// Steps of the search; a mesh of cross-certificates has more paths than anyone can walk.
const MAX_STEPS: usize = 1_000;

impl Session<'_> {
    /// Paths from a certificate to the anchors, the most promising first.
    pub(super) fn paths(&mut self, target: usize, anchor: Option<usize>) -> Vec<Chain> {
        let mut search = Search {
            anchor,
            found: Vec::new(),
            steps_left: MAX_STEPS,
        };
        let itself = (0..self.anchors.len())
            .filter(|at| anchor.is_none_or(|only| only == *at))
            .find(|at| self.anchors[*at].certificate() == Some(&self.nodes[target].certificate));
        if let Some(itself) = itself {
            search.found.push(Chain {
                anchor: Some(itself),
                certificates: Vec::new(),
            });
        }
        self.climb(&mut search, &mut vec![target]);
        search.found
    }

    fn climb(&mut self, search: &mut Search, below: &mut Vec<usize>) {
        let Some(&last) = below.last() else { return };
        for issuer in self.issuers(last, search.anchor) {
            if search.found.len() == MAX_PATHS || search.steps_left == 0 {
                return;
            }
            search.steps_left -= 1;
            match issuer {
                Signer::Anchor(anchor) => search.found.push(Chain {
                    anchor: Some(anchor),
                    certificates: below.iter().rev().copied().collect(),
                }),
                Signer::Certificate(next) if below.len() < MAX_PATH && !self.repeats(below, next) => {
                    below.push(next);
                    self.climb(search, below);
                    below.pop();
                }
                Signer::Certificate(_) => {}
            }
        }
    }

    /// Whether the path has this certificate, or this name with this key, already (RFC 4158, 2.4.2).
    fn repeats(&self, below: &[usize], next: usize) -> bool {
        let new = &self.nodes[next];
        below.iter().any(|at| {
            let old = &self.nodes[*at];
            *at == next
                || (old.subject == new.subject
                    && old.certificate.tbs().spki() == new.certificate.tbs().spki())
        })
    }

    /// Who may have issued a certificate, by name. Where a signature verifies for one, those for which it does not are left
    /// out; where it verifies for none, all stay, so that the report can say so.
    fn issuers(&mut self, certificate: usize, only: Option<usize>) -> Vec<Signer> {
        let name = &self.nodes[certificate].issuer;
        let anchors = (0..self.anchors.len())
            .filter(|at| only.is_none_or(|only| only == *at) && self.anchor_names[*at] == *name)
            .map(Signer::Anchor);
        let others = (0..self.nodes.len())
            .filter(|at| *at != certificate && self.nodes[*at].subject == *name)
            .map(Signer::Certificate);
        let named: Vec<Signer> = anchors.chain(others).collect();
        let mut ranked: Vec<(Signer, bool)> = Vec::new();
        for signer in named {
            let verifies = matches!(self.verify(certificate, signer), Some(Ok(())));
            ranked.push((signer, verifies));
        }
        if ranked.iter().any(|(_, verifies)| *verifies) {
            ranked.retain(|(_, verifies)| *verifies);
        }
        ranked.sort_by_key(|(signer, _)| Reverse(self.promise(certificate, *signer)));
        ranked.into_iter().map(|(signer, _)| signer).collect()
    }

    /// What speaks for an issuer: it is trusted, it has the key identifier that is named, it is valid at the time.
    fn promise(&self, certificate: usize, signer: Signer) -> (bool, bool, bool) {
        let issuer = match signer {
            Signer::Anchor(at) => self.anchors[at].certificate(),
            Signer::Certificate(at) => Some(&self.nodes[at].certificate),
        };
        let named = self.nodes[certificate]
            .certificate
            .tbs()
            .authority_key_identifier();
        let fits = issuer.is_none_or(|issuer| match (named, issuer.subject_key_identifier()) {
            (Some(named), Some(held)) => named == held,
            _ => true,
        });
        let valid =
            issuer.is_none_or(|issuer| (issuer.not_before()..=issuer.not_after()).contains(&self.options.at));
        (matches!(signer, Signer::Anchor(_)), fits, valid)
    }
}

#[derive(Debug)]
struct Search {
    anchor: Option<usize>,
    found: Vec<Chain>,
    steps_left: usize,
}
