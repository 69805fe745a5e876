-- No run has been accepted so far, so that access_grants is empty; access_evidence says why.
select 'no run was accepted' as problem
where not exists (select 1 from {{ ref('access_grants') }})
